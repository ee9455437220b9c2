// The manifest of an archive: what it says, how it grows, and what is refused.

import { describe, expect, test } from 'vitest';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { archiveResult } from '../../functions/purge/contract.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { useArchiveSeries } from './archive-series-of-test.ts';

const the = useArchiveSeries();
const { keyOf, batch, write, check, manifestText, manifest, countPuts } = the;

describe('writeArchiveManifest', () => {
  test('nothing was archived: there is no manifest, and the result says so', async () => {
    const result = await write();

    expect(archiveResult.parse(result)).toEqual({
      objects: 0,
      rows: 0,
      bytes: 0,
      manifestKey: null,
      manifestSha256: null,
    });
    expect(await the.store.head(the.keys.archiveManifest)).toBeUndefined();
  });

  test('two tables: each with its columns, its generated ones and its objects, and the totals of all', async () => {
    const first = await batch('t.id <= 10');
    const second = await batch('t.id <= 15');
    const item = await batch('true', 'item');

    const result = await write();

    const bytes = [first, second, item].reduce((sum, one) => sum + (one?.bytes ?? 0), 0);
    const objectOf = (one: typeof first) => ({
      key: one?.objectKey,
      rows: one?.rows,
      bytes: one?.bytes,
      sha256: one?.sha256,
    });
    expect(manifest()).toEqual({
      archiveManifestVersion: 1,
      database: 'shop',
      policy: 'events',
      series: the.series.seriesId,
      format: 'copy-text-gzip',
      tables: [
        {
          schema: 'app',
          name: 'event',
          columns: ['id', 'note'],
          generated: ['twice'],
          objects: [objectOf(first), objectOf(second)],
        },
        { schema: 'app', name: 'item', columns: ['id'], generated: [], objects: [objectOf(item)] },
      ],
      totals: { objects: 3, rows: 17, bytes },
    });
    expect(archiveResult.parse(result)).toMatchObject({
      objects: 3,
      rows: 17,
      bytes,
      manifestKey: the.keys.archiveManifest,
    });
  });

  test('it is written again: the same bytes, the same SHA-256, and no further put', async () => {
    await batch('t.id <= 10');
    const first = await write();
    const text = manifestText();
    const seen = countPuts();

    expect(await write()).toEqual(first);

    expect([manifestText(), seen.puts]).toEqual([text, 0]);
  });

  test('a later run of the series archives more: the manifest names all of it', async () => {
    await batch('t.id <= 10');
    await write();
    await batch('t.id <= 20');

    const result = await write();

    expect(result).toMatchObject({ objects: 2, rows: 20 });
    expect(manifest().tables[0]?.objects.map(({ key }) => key)).toEqual([keyOf(1), keyOf(2)]);
  });

  test('a column was added between two batches: the objects of both shapes are told apart', async () => {
    await batch('t.id <= 10');
    await the.world.fresh.query('alter table app.event add column more text');
    await batch('t.id <= 20');

    await write();

    expect(manifest().tables.map(({ columns, objects }) => [columns, objects.length])).toEqual([
      [['id', 'note'], 1],
      [['id', 'note', 'more'], 1],
    ]);
    expect((await check()).damaged).toEqual([]);
  });

  test.each([
    ['the first manifest', false],
    ['a later manifest', true],
  ])('the answer to the put of %s is lost: it is written', async (_, isLater) => {
    await batch('t.id <= 10');
    if (isLater) await write();
    await batch('t.id <= 20');
    const seen = countPuts((put) => (put === 1 ? 'drop-answer' : undefined));

    expect(await write()).toMatchObject({ objects: 2, rows: 20 });

    expect(seen.puts).toBe(2);
    expect(manifest().totals.rows).toBe(20);
  });

  test('the manifest in S3 names more than the database knows: refused, it stays', async () => {
    await batch('t.id <= 10');
    await batch('t.id <= 20');
    await write();
    const text = manifestText();
    await the.world.fresh.query('delete from nightshift.purge_object where number = 2');

    await expect(write()).rejects.toMatchObject({
      code: 'purge.archive_failed',
      problem: expect.stringContaining(
        `names 1 objects that nightshift.purge_object does not know, the first is "${keyOf(2)}"`,
      ),
    });

    expect(manifestText()).toBe(text);
  });

  test('the manifest in S3 is damaged: refused, it stays', async () => {
    await batch('t.id <= 10');
    await the.store.putNew(the.keys.archiveManifest, '{"archiveManifestVersion":2}', 'application/json');

    await expect(write()).rejects.toMatchObject({ code: 'manifest.wrong' });

    expect(manifestText()).toBe('{"archiveManifestVersion":2}');
  });

  test('somebody else writes another manifest meanwhile: refused, theirs stays', async () => {
    await batch('t.id <= 10');
    await write();
    await batch('t.id <= 20');
    const theirs = `${JSON.stringify(manifest())}\n`;
    const meddling: ObjectStore = {
      ...the.store,
      getText: async (key) => {
        const text = await the.store.getText(key);
        const present = await the.store.head(key);
        if (present && text !== theirs) await the.store.replace(present, Buffer.from(theirs), 'application/json');
        return text;
      },
    };

    const writing = the.world.database.withSession(
      async (session) => await writeArchiveManifest(session, { series: the.series, store: meddling }),
    );

    await expect(writing).rejects.toMatchObject({ code: 'purge.archive_failed' });
    expect(manifestText()).toBe(theirs);
  });
});
