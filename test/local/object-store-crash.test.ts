// The server is killed in the middle of a body, and started on a copy of its directory taken before every single step on
// disk, which is what a kill at that moment would leave. Each key must be in its old or its new state, whole, and what
// lies plain on disk must be what is served.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startUpload } from '../support/object-store-conformance/multipart-steps.ts';
import {
  clientOf,
  filesBelow,
  sendRaw,
  startOwnServer,
  temporaryDirectory,
} from '../support/object-store-conformance/own-server.ts';

const Bucket = 'bucket';
const serverModule = new URL('../../local/object-store-server.ts', import.meta.url).href;

/** Runs in the child: copies the directory before each change on disk, once the server has started. */
const program = `
  import { execFileSync } from 'node:child_process';
  import fs from 'node:fs/promises';
  import { syncBuiltinESMExports } from 'node:module';
  const [directory, copies, versioned] = process.argv.slice(1);
  let step = 0;
  let started = false;
  for (const name of ['rename', 'link', 'rm', 'rmdir', 'mkdir', 'open']) {
    const original = fs[name];
    fs[name] = (...args) => {
      const changes = name !== 'open' || args[1] !== undefined;
      if (started && copies !== '' && changes) {
        step += 1;
        execFileSync('cp', ['-a', directory, copies + '/' + String(step).padStart(4, '0')]);
      }
      return original(...args);
    };
  }
  syncBuiltinESMExports();
  const { startObjectStoreServer } = await import('${serverModule}');
  const server = await startObjectStoreServer({ directory, buckets: [{ name: '${Bucket}', versioned: versioned === 'true' }] });
  started = true;
  console.log(server.endpoint);
`;

async function startChild(directory: string, copies: string, versioned: boolean) {
  const parameters = ['--input-type=module', '-e', program, directory, copies, String(versioned)];
  const child: ChildProcess = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = child.stdout === null ? [] : ((await once(child.stdout, 'data')) as [Buffer]);
  const endpoint = String(line).trim();
  const client = clientOf(endpoint);
  onTestFinished(() => client.destroy());
  return { endpoint, client, child };
}

async function read(client: S3Client, Key: string, VersionId?: string): Promise<string | undefined> {
  return await client.send(new GetObjectCommand({ Bucket, Key, VersionId })).then(
    ({ Body }) => Body?.transformToString(),
    () => undefined,
  );
}

describe('killed', () => {
  test('in the middle of a body: the object before stays and no trace of the half one is left', async () => {
    const directory = await temporaryDirectory();
    const { endpoint, client, child } = await startChild(directory, '', false);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'whole' }));

    const headers = { 'content-length': '9999999' };
    const half = sendRaw(endpoint, {
      method: 'PUT',
      path: '/bucket/a',
      headers,
      body: Buffer.alloc(3 * 1024 ** 2, 'half'),
    });
    half.catch(() => undefined);
    await expect.poll(() => filesBelow(join(directory, '.meta/bucket/incoming'))).toHaveLength(1);
    child.kill('SIGKILL');
    await expect(half).rejects.toThrow(/ECONNRESET|socket hang up/);

    const again = await startOwnServer({ directory });
    expect(await read(again.client, 'a')).toBe('whole');
    expect(await filesBelow(join(directory, '.meta/bucket/incoming'))).toEqual([]);
    expect(await filesBelow(join(directory, Bucket))).toEqual(['a']);
  });

  test.each([true, false])(
    'before every step on disk (versions: %s): the key goes from each state to the next one with nothing in between',
    async (versioned) => {
      const copies = await temporaryDirectory();
      const { client, child } = await startChild(await temporaryDirectory(), copies, versioned);
      await client.send(new PutObjectCommand({ Bucket, Key: 'f/a', Body: 'first' }));
      await client.send(new PutObjectCommand({ Bucket, Key: 'f/a', Body: 'second' }));
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'f/a' }));
      await client.send(new PutObjectCommand({ Bucket, Key: 'f/a', Body: 'third' }));
      const target = { client, plainClient: client, bucket: Bucket, lockedBucket: '', key: () => 'f/up' };
      const upload = await startUpload(target, client);
      await upload.complete([await upload.part(1, 'fourth')]);
      child.kill('SIGKILL');

      const states: string[] = [];
      const steps = (await readdir(copies)).toSorted();
      for (const step of steps) states.push(await stateAfterStart(join(copies, step), versioned));

      // Fewer steps would mean that they are no longer seen and the test proves nothing.
      expect(steps.length).toBeGreaterThan(25);
      const changes = states.filter((state, index) => index === 0 || state !== states[index - 1]);
      expect(changes).toEqual(['-, -', 'first, -', 'second, -', '-, -', 'third, -', 'third, fourth']);
    },
  );
});

/** Starts a server on a directory, checks that everything in it is whole and nothing is left over; what the keys hold. */
async function stateAfterStart(directory: string, versioned: boolean): Promise<string> {
  const server = await startOwnServer({ directory, buckets: [{ name: Bucket, versioned }] });
  const { client } = server;
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  for (const { Key = '', VersionId, Size } of Versions)
    expect(await read(client, Key, VersionId)).toHaveLength(Size ?? -1);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  expect(await filesBelow(join(directory, Bucket))).toEqual(Contents.map((found) => found.Key));
  for (const { Key = '' } of Contents) {
    expect(await readFile(join(directory, Bucket, Key), 'utf8')).toBe(await read(client, Key));
  }

  const side = await filesBelow(join(directory, '.meta', Bucket));
  expect(side.filter((file) => file.startsWith('data/'))).toHaveLength(Versions.length - Contents.length);
  expect(side.filter((file) => file.startsWith('incoming/') || file.endsWith('.new'))).toEqual([]);
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  const uploadFolders = new Set(side.filter((file) => file.startsWith('uploads/')).map((file) => file.split('/')[1]));
  expect([...uploadFolders]).toEqual(Uploads.map((open) => open.UploadId));

  const state = `${(await read(client, 'f/a')) ?? '-'}, ${(await read(client, 'f/up')) ?? '-'}`;
  await server.stop();
  return state;
}
