// The check that reads an archive back whole.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useArchiveSeries } from './archive-series-of-test.ts';

const the = useArchiveSeries();
const { path, keyOf, batch, write, check, manifest } = the;

describe('checkArchive', () => {
  test('everything is whole: nothing is damaged', async () => {
    await batch('t.id <= 10');
    await batch('t.id <= 20');
    await write();

    expect(await check()).toEqual({ manifest: manifest(), damaged: [] });
  });

  test('one object has another byte, one is cut off, one is gone: each is named with what is wrong', async () => {
    for (const last of [5, 10, 15, 20]) await batch(`t.id <= ${last}`);
    await write();
    const flipped = readFileSync(path(keyOf(1)));
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    writeFileSync(path(keyOf(1)), flipped);
    truncateSync(path(keyOf(2)), 10);
    the.aws.setFault(({ operation, key }) =>
      operation === 'GetObject' && key === keyOf(3) ? { status: 404, code: 'NoSuchKey' } : undefined,
    );

    const { damaged } = await check();

    expect(damaged.map(({ key }) => key)).toEqual([keyOf(1), keyOf(2), keyOf(3)]);
    expect(damaged.map(({ problem }) => problem).join('\n')).not.toContain('note');
  });

  test('S3 does not answer: it fails, and calls nothing damaged', async () => {
    await batch('t.id <= 10');
    await write();
    the.aws.setFault(({ key }) => (key === keyOf(1) ? { status: 503, code: 'ServiceUnavailable' } : undefined));

    await expect(check()).rejects.toMatchObject({ code: 'object_store.failed' });
  });

  test('no manifest, one that is no JSON, one of another version, one whose totals are not the sums: refused', async () => {
    await expect(check()).rejects.toMatchObject({
      code: 'manifest.wrong',
      problem: expect.stringContaining('there is no'),
    });
    await batch('t.id <= 10');
    await write();
    const good = manifest();

    for (const [text, problem] of [
      ['{', 'it is not JSON'],
      [JSON.stringify({ ...good, archiveManifestVersion: 2 }), 'archiveManifestVersion'],
      [JSON.stringify({ ...good, totals: { ...good.totals, rows: 11 } }), 'must be the sums of the objects'],
    ] as const) {
      const present = await the.store.head(the.keys.archiveManifest);
      await the.store.replace(present ?? { key: '', etag: '' }, Buffer.from(text), 'application/json');

      await expect(check()).rejects.toMatchObject({
        code: 'manifest.wrong',
        problem: expect.stringContaining(problem),
      });
    }
  });
});
