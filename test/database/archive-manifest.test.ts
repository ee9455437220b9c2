// The manifest of an archive, what is emptied beside it, and the check that reads all of it back.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { archiveManifestSchema } from '../../functions/purge/archive/archive-manifest.ts';
import type { ArchiveSeries } from '../../functions/purge/archive/archive-series.ts';
import { checkArchive } from '../../functions/purge/archive/check-archive.ts';
import { emptyOrphans } from '../../functions/purge/archive/empty-orphans.ts';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { archiveResult } from '../../functions/purge/contract.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { type ArchiveWorld, createArchiveWorld } from './archive-world.ts';

let aws: LocalAws;
let world: ArchiveWorld;
let store: ObjectStore;
/** One of its own for each test. */
let series: ArchiveSeries;
let keys: ReturnType<typeof purgeKeys>;
let turn = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  world = await createArchiveWorld();
  store = createObjectStore(BUCKET);
});
beforeEach(async () => {
  aws.setFault(undefined);
  turn += 1;
  series = { database: 'shop', policy: 'events', seriesId: String(turn) };
  keys = purgeKeys('shop', 'events', String(turn));
  await world.reset();
  await world.fresh.query(`
    create table app.event (id int primary key, note text, twice int generated always as (id * 2) stored);
    insert into app.event (id, note) select n, 'note ' || n from generate_series(1, 30) n;
    create table app.item (id int);
    insert into app.item values (1), (2)`);
});
afterAll(async () => {
  await world.close();
  await aws.stop();
});

const path = (key: string) => join(aws.bucketFolder, key);
const keyOf = (number: number, table = 'event') => keys.archivedRows('app', table, number);
const batch = async (where: string, table = 'event') => await world.batch({ where, table, series });
const write = async () =>
  await world.database.withSession(async (session) => await writeArchiveManifest(session, { series, store }));
const empty = async () =>
  await world.database.withSession(async (session) => await emptyOrphans(session, { series, store }));
const check = async () =>
  await checkArchive(store, keys.archiveManifest, { clock: systemClock, signal: new AbortController().signal });
const manifestText = () => readFileSync(path(keys.archiveManifest), 'utf8');
const manifest = () => archiveManifestSchema.parse(JSON.parse(manifestText()));

async function leaveOrphan(where: string, table = 'event'): Promise<void> {
  const failing = world.batch({ where, table, series, afterwards: async () => await Promise.reject(new Error('end')) });
  await expect(failing).rejects.toThrow('end');
}

/** Counts the puts, and fails those that the fault says. */
function countPuts(fault: (put: number) => 'drop-answer' | undefined = () => undefined): { puts: number } {
  const seen = { puts: 0 };
  aws.setFault(({ operation }) => {
    if (operation !== 'PutObject') return undefined;
    seen.puts += 1;
    return fault(seen.puts);
  });
  return seen;
}

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
    expect(await store.head(keys.archiveManifest)).toBeUndefined();
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
      series: series.seriesId,
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
      manifestKey: keys.archiveManifest,
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
    await world.fresh.query('alter table app.event add column more text');
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
    await world.fresh.query('delete from nightshift.purge_object where number = 2');

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
    await store.putNew(keys.archiveManifest, '{"archiveManifestVersion":2}', 'application/json');

    await expect(write()).rejects.toMatchObject({ code: 'manifest.wrong' });

    expect(manifestText()).toBe('{"archiveManifestVersion":2}');
  });

  test('somebody else writes another manifest meanwhile: refused, theirs stays', async () => {
    await batch('t.id <= 10');
    await write();
    await batch('t.id <= 20');
    const theirs = `${JSON.stringify(manifest())}\n`;
    const meddling: ObjectStore = {
      ...store,
      getText: async (key) => {
        const text = await store.getText(key);
        const present = await store.head(key);
        if (present && text !== theirs) await store.replace(present, Buffer.from(theirs), 'application/json');
        return text;
      },
    };

    const writing = world.database.withSession(
      async (session) => await writeArchiveManifest(session, { series, store: meddling }),
    );

    await expect(writing).rejects.toMatchObject({ code: 'purge.archive_failed' });
    expect(manifestText()).toBe(theirs);
  });
});

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
    aws.setFault(({ operation }) =>
      operation === 'PutObject' ? { status: 503, code: 'ServiceUnavailable' } : undefined,
    );

    await expect(empty()).rejects.toMatchObject({ code: 'object_store.failed' });
    aws.setFault(undefined);

    expect(await empty()).toBe(1);
  });

  test('an orphan becomes an object of the archive while they are listed: it stays', async () => {
    await leaveOrphan('t.id <= 20');
    const slow: ObjectStore = {
      ...store,
      list: async function* (prefix) {
        for await (const object of store.list(prefix)) {
          await batch('t.id <= 10');
          yield object;
        }
      },
    };

    const emptied = await world.database.withSession(
      async (session) => await emptyOrphans(session, { series, store: slow }),
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
      ...store,
      replace: async (...parameters) => {
        await batch('t.id <= 10');
        return await store.replace(...parameters);
      },
    };

    const emptying = world.database.withSession(
      async (session) => await emptyOrphans(session, { series, store: slow }),
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
    await world.fresh.query('truncate nightshift.purge_object');

    await expect(empty()).rejects.toMatchObject({ code: 'purge.archive_failed' });

    expect(readFileSync(path(keyOf(1)))).toEqual(before);
  });

  test('what is not an object of an archive, and other series: they stay', async () => {
    await leaveOrphan('t.id <= 20');
    await store.putNew(`${keys.archive}note.txt`, 'by hand', 'text/plain');
    const near = purgeKeys('shop', 'events', `${turn}0`).archivedRows('app', 'event', 1);
    await store.putNew(near, 'of another series', 'application/gzip');

    expect(await empty()).toBe(1);

    expect(readFileSync(path(`${keys.archive}note.txt`), 'utf8')).toBe('by hand');
    expect(readFileSync(path(near), 'utf8')).toBe('of another series');
  });
});

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
    aws.setFault(({ operation, key }) =>
      operation === 'GetObject' && key === keyOf(3) ? { status: 404, code: 'NoSuchKey' } : undefined,
    );

    const { damaged } = await check();

    expect(damaged.map(({ key }) => key)).toEqual([keyOf(1), keyOf(2), keyOf(3)]);
    expect(damaged.map(({ problem }) => problem).join('\n')).not.toContain('note');
  });

  test('S3 does not answer: it fails, and calls nothing damaged', async () => {
    await batch('t.id <= 10');
    await write();
    aws.setFault(({ key }) => (key === keyOf(1) ? { status: 503, code: 'ServiceUnavailable' } : undefined));

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
      const present = await store.head(keys.archiveManifest);
      await store.replace(present ?? { key: '', etag: '' }, Buffer.from(text), 'application/json');

      await expect(check()).rejects.toMatchObject({
        code: 'manifest.wrong',
        problem: expect.stringContaining(problem),
      });
    }
  });
});
