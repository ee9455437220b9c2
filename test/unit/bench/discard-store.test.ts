import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DiscardStore, startDiscardStore } from '../../../bench/stores/discard-store.ts';
import { createObjectStore, type ObjectStore } from '../../../functions/shared/object-store.ts';

const MIB = 1_048_576;
let server: DiscardStore;
let store: ObjectStore;

beforeAll(async () => {
  server = await startDiscardStore({ latencyMs: 0 });
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', server.endpoint);
  store = createObjectStore('bucket');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

/** An upload of parts of these sizes, in MiB, with number and ETag as the server has said. */
async function upload(key: string, sizes: readonly number[]) {
  const uploadId = await store.createUpload(key, 'application/gzip');
  const parts = [];
  for (const [index, size] of sizes.entries()) {
    parts.push(await store.uploadPart(key, uploadId, (index + 1) * 10, Buffer.alloc(size * MIB, index)));
  }
  return { uploadId, parts };
}

describe('startDiscardStore, with the S3 client of the product', () => {
  test('small objects: they are kept, listed in order of key and never overwritten', async () => {
    await store.putNew('db/b.json', 'two', 'application/json');
    await store.putNew('db/a&"ä.json', 'one', 'application/json');
    const keys = [];
    for await (const { key, bytes } of store.list('db/')) keys.push([key, bytes]);

    expect(await store.getText('db/b.json')).toBe('two');
    expect(await store.getText('db/none.json')).toBeUndefined();
    expect(keys).toEqual([
      ['db/a&"ä.json', 3],
      ['db/b.json', 3],
    ]);
    await expect(store.putNew('db/b.json', 'three', 'application/json')).rejects.toMatchObject({
      code: 'object_store.exists',
    });
  });

  test('an upload with gaps in its numbers: it becomes an object of all bytes, which are counted and forgotten', async () => {
    const key = 'db/1/archive/7.dat.gz';
    const before = server.counters();
    const { uploadId, parts } = await upload(key, [5, 6, 1]);
    expect(server.counters().archiveBytes).toBe(before.archiveBytes);

    await store.completeUpload(key, uploadId, parts);

    expect(await store.head(key)).toMatchObject({ bytes: 12 * MIB });
    expect(server.counters()).toMatchObject({ archiveBytes: before.archiveBytes + 12 * MIB, parts: before.parts + 3 });
    await expect(store.getText(key)).rejects.toMatchObject({ code: 'object_store.failed' });
  });

  test.each([
    ['parts out of order', '21', [5, 5], 'reversed', 'InvalidPartOrder'],
    ['a part before the last below 5 MiB', '22', [1, 5], 'as they are', 'EntityTooSmall'],
  ])('%s: refused as S3 does', async (_, name, sizes, order, code) => {
    const key = `db/1/archive/${name}.dat.gz`;
    const { uploadId, parts } = await upload(key, sizes);
    const listed = order === 'reversed' ? parts.toReversed() : parts;

    await expect(store.completeUpload(key, uploadId, listed)).rejects.toThrow(code);
  });

  test('another ETag than that of the part: refused, so a lost or damaged part is not counted', async () => {
    const { uploadId, parts } = await upload('db/1/archive/9.dat.gz', [1]);
    const wrong = parts.map((part) => ({ ...part, etag: '"00000000000000000000000000000000"' }));

    await expect(store.completeUpload('db/1/archive/9.dat.gz', uploadId, wrong)).rejects.toThrow('InvalidPart');
  });

  test('an aborted upload: it is listed before and gone after', async () => {
    const { uploadId } = await upload('db/2/archive/1.dat.gz', [1]);
    const open = async () => {
      const ids = [];
      for await (const one of store.listUploads('db/2/')) ids.push(one.uploadId);
      return ids;
    };
    expect(await open()).toEqual([uploadId]);

    await store.abortUpload('db/2/archive/1.dat.gz', uploadId);

    expect(await open()).toEqual([]);
  });

  test('what it does not do: an error that says so, never a silent success', async () => {
    await expect(store.deleteVersions([{ key: 'a', versionId: '1' }])).rejects.toThrow('NotImplemented');
  });

  test('latency: each request takes that much longer', async () => {
    const slow = await startDiscardStore({ latencyMs: 150 });
    try {
      const startedMs = performance.now();
      const answer = await fetch(`${slow.endpoint}/bucket/none`);

      expect(answer.status).toBe(404);
      expect(performance.now() - startedMs).toBeGreaterThan(145);
    } finally {
      await slow.stop();
    }
  });
});
