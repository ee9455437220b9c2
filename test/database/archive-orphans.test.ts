// Objects beside an archive that were never recorded: they are emptied, and nothing else is.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { emptyOrphans } from '../../functions/purge/archive/empty-orphans.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { useArchiveSeries } from './archive-series-of-test.ts';

const the = useArchiveSeries();
const { path, keyOf, batch, write, empty, check, leaveOrphan, countPuts } = the;

describe('emptyOrphans', () => {
  test('a try left an object without a record: it is emptied and counted, once; what is recorded stays', async () => {
    await batch('t.id <= 10');
    await leaveOrphan('t.id <= 20');
    await leaveOrphan('true', 'item');
    await write();
    const recorded = readFileSync(path(keyOf(1)));

    expect(await empty()).toBe(2);

    expect(gunzipSync(readFileSync(path(keyOf(2)))).toString()).toBe('');
    expect(gunzipSync(readFileSync(path(keyOf(1, 'item')))).toString()).toBe('');
    expect(readFileSync(path(keyOf(1)))).toEqual(recorded);
    expect(await empty()).toBe(0);
    expect((await check()).damaged).toEqual([]);
  });

  test('an orphan was emptied and its number is used after all: the rows are archived', async () => {
    await leaveOrphan('t.id <= 20');
    await empty();

    await batch('t.id <= 10');
    await write();

    expect(
      gunzipSync(readFileSync(path(keyOf(1))))
        .toString()
        .split('\n'),
    ).toHaveLength(11);
    expect(await check()).toMatchObject({ damaged: [], manifest: { totals: { rows: 10 } } });
  });

  test('the answer is lost: it is emptied all the same', async () => {
    await leaveOrphan('t.id <= 20');
    const seen = countPuts((put) => (put === 1 ? 'drop-answer' : undefined));

    expect(await empty()).toBe(1);

    expect(seen.puts).toBe(2);
    expect(gunzipSync(readFileSync(path(keyOf(1)))).length).toBe(0);
  });

  test('S3 answers 503: it fails, and the next call empties', async () => {
    await leaveOrphan('t.id <= 20');
    the.aws.setFault(({ operation }) =>
      operation === 'PutObject' ? { status: 503, code: 'ServiceUnavailable' } : undefined,
    );

    await expect(empty()).rejects.toMatchObject({ code: 'object_store.failed' });
    the.aws.setFault(undefined);

    expect(await empty()).toBe(1);
  });

  test('an orphan becomes an object of the archive while they are listed: it stays', async () => {
    await leaveOrphan('t.id <= 20');
    const slow: ObjectStore = {
      ...the.store,
      list: async function* (prefix) {
        for await (const object of the.store.list(prefix)) {
          await batch('t.id <= 10');
          yield object;
        }
      },
    };

    const emptied = await the.world.database.withSession(
      async (session) => await emptyOrphans(session, { series: the.series, store: slow }),
    );

    expect(emptied).toBe(0);
    expect(
      gunzipSync(readFileSync(path(keyOf(1))))
        .toString()
        .split('\n'),
    ).toHaveLength(11);
  });

  test('somebody without the lock archives under that key at the last moment: it stays, and this fails', async () => {
    await leaveOrphan('t.id <= 20');
    const slow: ObjectStore = {
      ...the.store,
      replace: async (...parameters) => {
        await batch('t.id <= 10');
        return await the.store.replace(...parameters);
      },
    };

    const emptying = the.world.database.withSession(
      async (session) => await emptyOrphans(session, { series: the.series, store: slow }),
    );

    await expect(emptying).rejects.toMatchObject({ code: 'purge.archive_failed' });
    expect(
      gunzipSync(readFileSync(path(keyOf(1))))
        .toString()
        .split('\n'),
    ).toHaveLength(11);
  });

  test('the manifest names an object that the database does not know: refused, nothing is emptied', async () => {
    await batch('t.id <= 10');
    await write();
    const before = readFileSync(path(keyOf(1)));
    await the.world.fresh.query('truncate nightshift.purge_object');

    await expect(empty()).rejects.toMatchObject({ code: 'purge.archive_failed' });

    expect(readFileSync(path(keyOf(1)))).toEqual(before);
  });

  test('what is not an object of an archive, and other series: they stay', async () => {
    await leaveOrphan('t.id <= 20');
    await the.store.putNew(`${the.keys.archive}note.txt`, 'by hand', 'text/plain');
    const near = purgeKeys('shop', 'events', `${the.series.seriesId}0`).archivedRows('app', 'event', 1);
    await the.store.putNew(near, 'of another series', 'application/gzip');

    expect(await empty()).toBe(1);

    expect(readFileSync(path(`${the.keys.archive}note.txt`), 'utf8')).toBe('by hand');
    expect(readFileSync(path(near), 'utf8')).toBe('of another series');
  });
});
