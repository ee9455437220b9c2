// No key leads out of the store's directory, and keys that cannot lie beside each other as files are all kept.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import {
  filesBelow,
  sendRaw,
  startOwnServer,
  temporaryDirectory,
} from '../support/object-store-conformance/own-server.ts';

const Bucket = 'bucket';

async function read(client: S3Client, Key: string): Promise<string | undefined> {
  return await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
}

describe('keys that are no safe path', () => {
  const unsafe = [
    '../outside',
    '../../outside',
    'a/../../../outside',
    '..',
    '.',
    '/etc/absolute',
    '//double',
    'a//b',
    'folder/',
    './a',
    'a/./b',
    'zero\0byte',
    '.meta/bucket/bucket.json/..',
    `${'long'.repeat(64)}x`,
  ];

  test('they are put, read, listed and deleted: nothing is written outside the directory or under the bucket', async () => {
    const parent = await temporaryDirectory();
    const directory = join(parent, 'store', 'inner');
    await mkdir(directory, { recursive: true });
    const { client } = await startOwnServer({ directory });

    for (const Key of unsafe) await client.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }));

    for (const Key of unsafe) expect(await read(client, Key)).toBe(`body of ${Key}`);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    const listed = Contents.map((found) => decodeURIComponent((found.Key ?? '').replaceAll('+', '%20')));
    expect(listed.toSorted()).toEqual(unsafe.toSorted());
    const files = await filesBelow(parent);
    expect(files.filter((file) => !file.startsWith('store/inner/.meta/bucket/'))).toEqual([]);

    for (const Key of unsafe) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await filesBelow(parent)).toEqual(['store/inner/.meta/bucket/bucket.json']);
  });

  test('the dots come percent-encoded: they name the same key and stay inside', async () => {
    const { client, directory, endpoint } = await startOwnServer();

    const raw = { method: 'PUT', path: '/bucket/%2e%2e%2f%2e%2e%2foutside', body: 'x' };
    expect(await sendRaw(endpoint, raw)).toMatchObject({ status: 200 });

    expect(await read(client, '../../outside')).toBe('x');
    expect(await filesBelow(join(directory, Bucket))).toEqual([]);
  });

  test('a bucket name has dots or points to the side folder: no such bucket', async () => {
    const { endpoint } = await startOwnServer();

    for (const path of ['/../etc/passwd', '/.meta/bucket/bucket.json', '/%2e%2e/a', '/bucket%2f..%2f.meta/a']) {
      expect(await sendRaw(endpoint, { method: 'GET', path })).toMatchObject({ status: 404 });
      expect(await sendRaw(endpoint, { method: 'PUT', path, body: 'x' })).toMatchObject({ status: 404 });
    }
  });

  test('a key has more than 1024 bytes or is not UTF-8: refused', async () => {
    const { endpoint } = await startOwnServer();

    const long = await sendRaw(endpoint, { method: 'PUT', path: `/bucket/${'a/'.repeat(513)}`, body: 'x' });
    const broken = await sendRaw(endpoint, { method: 'PUT', path: '/bucket/%ff', body: 'x' });

    expect([long.status, long.text]).toEqual([400, expect.stringContaining('<Code>KeyTooLongError</Code>')]);
    expect([broken.status, broken.text]).toEqual([400, expect.stringContaining('<Code>InvalidURI</Code>')]);
  });
});

describe('keys that collide as files', () => {
  test('a key is the folder of others: in both orders all are kept, the first comer lies plain', async () => {
    const { client, directory } = await startOwnServer();
    for (const Key of ['a', 'a/b', 'x/y', 'x'])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }));

    for (const Key of ['a', 'a/b', 'x/y', 'x']) expect(await read(client, Key)).toBe(`body of ${Key}`);

    expect(await filesBelow(join(directory, Bucket))).toEqual(['a', 'x/y']);
  });

  test('the key in the way is deleted: the other one lies plain when it is put again', async () => {
    const { client, directory } = await startOwnServer();
    for (const Key of ['a', 'a/b']) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));

    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(await read(client, 'a/b')).toBe('a/b');
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: 'again' }));

    expect(await filesBelow(join(directory, Bucket))).toEqual(['a/b']);
    expect(await read(client, 'a/b')).toBe('again');
  });

  test('the last object of a folder is deleted: the folder no longer stands in the way of its name', async () => {
    const { client, directory } = await startOwnServer();
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b/c', Body: 'x' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a/b/c' }));

    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'file now' }));

    expect(await filesBelow(join(directory, Bucket))).toEqual(['a']);
  });

  test('an empty folder was left where an object belongs: the object replaces it', async () => {
    const { client, directory } = await startOwnServer();
    await mkdir(join(directory, Bucket, 'a'));

    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'file now' }));

    expect(await read(client, 'a')).toBe('file now');
  });

  test('keys differ in case or in the form of an accent only: all are kept, at most one of them plain', async () => {
    const { client, directory } = await startOwnServer();
    const keys = ['readme', 'README', '\u00e9', 'e\u0301'];
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }));

    await client.send(new DeleteObjectCommand({ Bucket, Key: 'README' }));

    expect([await read(client, 'readme'), await read(client, '\u00e9'), await read(client, 'e\u0301')]).toEqual([
      'body of readme',
      'body of \u00e9',
      'body of e\u0301',
    ]);
    expect(await filesBelow(join(directory, Bucket))).toEqual(['readme', '\u00e9']);
  });

  test('a file that is no object lies in the bucket: it is neither listed nor removed', async () => {
    const first = await startOwnServer();
    await writeFile(join(first.directory, Bucket, 'note.txt'), 'mine');

    const { client, directory } = await first.restart();

    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    expect(await filesBelow(join(directory, Bucket))).toEqual(['note.txt']);
  });
});
