// Archive before delete while S3 or the server fails: either the rows are archived whole, recorded and gone, or they are all there.
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { archiveRows } from '../../functions/purge/archive/archive-rows.ts';
import { writeArchiveManifest } from '../../functions/purge/archive/write-archive-manifest.ts';
import { purgeKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import type { Fault, FaultRequest } from '../../local/object-store/create-faults.ts';
import { type ArchiveWorld, createArchiveWorld, SERIES } from '../database/archive-world.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

const ROWS = 500;
const UNAVAILABLE = { status: 503, code: 'ServiceUnavailable' };
const ALL = Array.from({ length: ROWS }, (_, n) => `${n + 1}\tnote ${n + 1}\n`).join('');

let aws: LocalAws;
let world: ArchiveWorld;
let key: string;
let turn = 0;

beforeAll(async () => {
  aws = await startLocalAws();
  world = await createArchiveWorld();
});
beforeEach(async () => {
  aws.setFault(undefined);
  await world.reset();
  turn += 1;
  // A table of its own for each test, so that each begins without an object.
  await world.fresh.query(
    `create table app.t${turn} (id int primary key, note text); insert into app.t${turn} select n, 'note ' || n from generate_series(1, ${ROWS}) n`,
  );
  key = purgeKeys('shop', 'events', '17').archivedRows('app', `t${turn}`, 1);
});
afterAll(async () => {
  await world.close();
  await aws.stop();
});

const file = () => join(aws.bucketFolder, key);
const text = () => gunzipSync(readFileSync(file())).toString();
const batch = async (more: Partial<Parameters<ArchiveWorld['batch']>[0]> = {}) =>
  await world.batch({ where: 'true', table: `t${turn}`, ...more });

/** What of an operation on the object fails, by the number of the request. */
function failing(operation: string, fault: (request: number) => Fault | undefined): { requests: number } {
  const seen = { requests: 0 };
  aws.setFault((request: FaultRequest) => {
    if (request.operation !== operation || request.key !== key) return undefined;
    seen.requests += 1;
    return fault(seen.requests);
  });
  return seen;
}

async function state() {
  const rows = await world.fresh.query(`select from app.t${turn}`);
  return { left: rows.rowCount, recorded: (await world.recorded()).map((object) => object.rows) };
}
const GONE = { left: 0, recorded: [ROWS] };
const THERE = { left: ROWS, recorded: [] };

/** The orphan that a try leaves which ends between its put and its commit. */
async function leaveOrphan(where: string): Promise<void> {
  await expect(batch({ where, afterwards: async () => await Promise.reject(new Error('killed')) })).rejects.toThrow(
    'killed',
  );
}

/** Whole, but without one of the rows. */
const other = () => join(aws.bucketFolder, 'other.gz');
async function makeOther(): Promise<void> {
  await leaveOrphan('t.id <> 250');
  writeFileSync(other(), readFileSync(file()));
}

describe('archiveRows, when S3 fails', () => {
  test('nothing fails: the rows are archived and gone', async () => {
    await batch();

    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test('the answer to the put is lost: the rows are archived and gone', async () => {
    const seen = failing('PutObject', (request) => (request === 1 ? 'drop-answer' : undefined));

    await batch();

    expect(seen.requests).toBeGreaterThan(1);
    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test('a try was killed before its commit: what it left is replaced by what is archived now', async () => {
    await leaveOrphan('t.id <= 20');
    const left = text();

    await batch();

    expect(left.split('\n')).toHaveLength(21);
    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test('the same, and the answers to both puts are lost: the rows are archived and gone', async () => {
    await leaveOrphan('t.id <= 20');
    const seen = failing('PutObject', (request) => (request <= 2 ? 'drop-answer' : undefined));

    await batch();

    expect(seen.requests).toBeGreaterThan(2);
    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test.each([
    ['S3 is busy for a moment', 'PutObject', UNAVAILABLE],
    ['the connection is cut before the put', 'PutObject', 'drop'],
    ['S3 is busy for a moment while it is read back', 'GetObject', UNAVAILABLE],
    ['the connection is cut while it is read back', 'GetObject', 'drop'],
  ] as const)('%s: the rows are archived and gone', async (_, operation, fault) => {
    const seen = failing(operation, (request) => (request <= 2 ? fault : undefined));

    await batch();

    expect(seen.requests).toBe(3);
    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test.each([
    ['every put', 'PutObject'],
    ['every read', 'GetObject'],
  ])('S3 answers 503 to %s: the rows are all there and nothing is recorded; then they are archived', async (_, of) => {
    failing(of, () => UNAVAILABLE);

    await expect(batch()).rejects.toMatchObject({ code: 'object_store.failed' });

    expect(await state()).toEqual(THERE);
    aws.setFault(undefined);
    await batch();
    expect([await state(), text()]).toEqual([GONE, ALL]);
  });

  test.each([
    [
      'has another byte',
      'cannot be decoded|SHA-256',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes[40] = (bytes[40] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
    ],
    [
      // Only the hash tells: every decoder passes over the time in the head.
      'has another byte that changes no row',
      'SHA-256',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes[4] = 1;
        writeFileSync(path, bytes);
      },
    ],
    ['is cut off', 'bytes|cannot be decoded', (path: string) => truncateSync(path, 200)],
    ['has a byte too many', 'bytes|cannot be decoded', (path: string) => appendFileSync(path, 'x')],
    ['is empty', 'bytes', (path: string) => truncateSync(path, 0)],
    ['holds other rows', 'SHA-256|bytes', (path: string) => writeFileSync(path, readFileSync(other()))],
  ] as const)(
    'what is read back %s: refused, the rows are all there; then they are archived',
    async (_, reason, damage) => {
      await makeOther();
      failing('GetObject', () => {
        damage(file());
        return undefined;
      });

      await expect(batch()).rejects.toMatchObject({
        code: 'purge.archive_failed',
        problem: expect.stringMatching(new RegExp(`read back from S3, is not what was stored: .*(${reason})`)),
        safeState: expect.stringContaining('its rows stay in the table'),
      });

      expect(await state()).toEqual(THERE);
      aws.setFault(undefined);
      await batch();
      expect([await state(), text()]).toEqual([GONE, ALL]);
    },
  );

  test('what was stored is gone when it is read back: refused, the rows are all there', async () => {
    failing('GetObject', () => ({ status: 404, code: 'NoSuchKey' }));

    await expect(batch()).rejects.toMatchObject({
      code: 'purge.archive_failed',
      problem: expect.stringContaining('there is no such object'),
    });

    expect(await state()).toEqual(THERE);
  });

  test('the statement returns fewer columns than are recorded: refused, the rows are all there', async () => {
    const archiving = world.database.withTransaction(
      async (session) =>
        await archiveRows(session, {
          series: SERIES,
          table: { schema: 'app', name: `t${turn}` },
          number: 1,
          columns: { stored: ['id', 'note'], generated: [] },
          statement: `delete from app.t${turn} returning id`,
          store: createObjectStore(BUCKET),
          clock: systemClock,
          signal: new AbortController().signal,
        }),
    );

    await expect(archiving).rejects.toMatchObject({
      code: 'purge.archive_failed',
      problem: expect.stringContaining('its rows have 1 columns; it must be 2'),
    });

    expect(await state()).toEqual(THERE);
  });

  test.each(['PutObject', 'GetObject'])(
    'S3 is silent at %s and the time of the run is over: it ends with that reason, the rows are all there',
    async (operation) => {
      const deadline = new AbortController();
      failing(operation, () => {
        deadline.abort(new Error('out of time'));
        return 'hang';
      });

      await expect(batch({ signal: deadline.signal })).rejects.toThrow('out of time');

      expect(await state()).toEqual(THERE);
    },
  );

  test('the manifest names the object and the database does not know it: refused, it is not overwritten', async () => {
    const series = { ...SERIES, seriesId: '18' };
    const archived = await batch({ series });
    await world.database.withSession(
      async (session) => await writeArchiveManifest(session, { series, store: createObjectStore(BUCKET) }),
    );
    const path = join(aws.bucketFolder, archived?.objectKey ?? '');
    const before = readFileSync(path);
    // As after a restore to an earlier time.
    await world.fresh.query(`truncate nightshift.purge_object; insert into app.t${turn} values (1, 'another')`);

    await expect(batch({ series })).rejects.toMatchObject({
      code: 'purge.archive_failed',
      problem: expect.stringContaining('that nightshift.purge_object does not know'),
    });

    expect(readFileSync(path)).toEqual(before);
    expect(await state()).toEqual({ left: 1, recorded: [] });
  });
});

describe('archiveRows, when the server fails', () => {
  test('the session ends before the commit: the rows are all there and nothing is recorded', async () => {
    const batching = batch({
      afterwards: async ({ processId }) => {
        await world.fresh.query('select pg_terminate_backend($1)', [processId]);
      },
    });

    // The client tells either the server's last words or, where it was quicker to ask again, that it has lost it.
    await expect(batching).rejects.toThrow(/terminat|connection error/i);

    expect(await state()).toEqual(THERE);
  });

  test('a row is referenced, which only the commit looks at: the rows are all there and nothing is recorded', async () => {
    await world.fresh.query(
      `create table app.item (id int references app.t${turn} (id) deferrable initially deferred); insert into app.item values (7)`,
    );

    await expect(batch()).rejects.toMatchObject({ code: '23503' });

    expect(await state()).toEqual(THERE);
    expect(text()).toBe(ALL);
  });
});
