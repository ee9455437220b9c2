import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSnapshotWorld, nextBackupId, ROWS, type SnapshotWorld } from '../support/held-snapshot.ts';

/** A look of the holder, deadlock_timeout twice, half a second, and room for a machine that is busy. */
const SOON_MS = 10_000;
const TABLES = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];

let world: SnapshotWorld;

beforeAll(async () => {
  world = await createSnapshotWorld(TABLES.length);
});
afterAll(async () => {
  await world.drop();
});

async function timed<T>(run: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const from = performance.now();
  const result = await run();
  return { result, ms: performance.now() - from };
}

/** Ends the backup, and every DDL that has waited for it must go on without an error. */
async function endAndExpectAll(
  backupId: string,
  holder: { dropClient(): Promise<void> },
  queued: readonly { ended: Promise<unknown>; hasEnded(): boolean }[],
): Promise<void> {
  expect(queued.map((one) => one.hasEnded())).toEqual(queued.map(() => false));
  await world.end(backupId);
  for (const one of queued) expect(await one.ended).not.toBeInstanceOf(Error);
  await holder.dropClient();
  for (const name of TABLES) await world.recreate(name);
}

describe('a DDL in the queue of a table that a worker has yet to lock', () => {
  test('of every kind, one on each table: each worker passes it within seconds, and it goes on when the backup has ended', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const queued = [
      await world.queue('truncate app.t1'),
      await world.queue('alter table app.t2 add column more text'),
      await world.queue('drop table app.t3'),
      await world.queue('vacuum full app.t4'),
      await world.queue('begin; lock table app.t5 in access exclusive mode; commit'),
      await world.queue('alter table app.t6 alter column body type varchar(99)'),
      await world.queue('cluster app.t7 using t7_by_id'),
    ];

    const { result, ms } = await timed(
      async () => await Promise.all(TABLES.map(async (name) => await world.work(backupId, holder.expected, [name]))),
    );

    expect(result).toEqual(TABLES.map(() => [ROWS]));
    expect(ms).toBeLessThan(SOON_MS);
    await endAndExpectAll(backupId, holder, queued);
  });

  test('several on the same tables and several workers at once: all workers pass all of them', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const queued = [
      await world.queue('truncate app.t1'),
      await world.queue('alter table app.t2 add column more text'),
      await world.queue('begin; drop table app.t3; truncate app.t4; commit'),
      await world.queue('truncate app.t1, app.t2'),
      await world.queue('vacuum full app.t4'),
    ];
    const orders = [['t1', 't3'], ['t1', 't2'], ['t2', 't4'], ['t3', 't1'], ['t4', 't3'], ['t1']];

    const { result, ms } = await timed(
      async () => await Promise.all(orders.map(async (names) => await world.work(backupId, holder.expected, names))),
    );

    expect(result).toEqual(orders.map((names) => names.map(() => ROWS)));
    expect(ms).toBeLessThan(2 * SOON_MS);
    await endAndExpectAll(backupId, holder, queued);
  });

  test('TRUNCATE of the parent of a partition: the worker passes it', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const queued = await world.queue('truncate app.parts');

    const { result, ms } = await timed(async () => await world.work(backupId, holder.expected, ['part1', 't1']));

    expect(result).toEqual([ROWS, ROWS]);
    expect(ms).toBeLessThan(SOON_MS);
    await endAndExpectAll(backupId, holder, [queued]);
    await world.fresh.query(`insert into app.parts select n, 'row ' || n from generate_series(1, ${ROWS}) n`);
  });

  test('the server looks for deadlocks late (deadlock_timeout 2.5 s): the worker passes it all the same', async () => {
    await world.fresh.query(`alter role ${world.login.user} set deadlock_timeout = '2500ms'`);
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    const queued = await world.queue('truncate app.t1');
    // It has looked for a deadlock once and does not look again; only the holder is left to do it.
    await sleep(1_500);

    const { result, ms } = await timed(async () => await world.work(backupId, holder.expected, ['t1']));

    await world.fresh.query(`alter role ${world.login.user} reset deadlock_timeout`);
    expect(result).toEqual([ROWS]);
    expect(ms).toBeGreaterThan(2_000);
    expect(ms).toBeLessThan(SOON_MS);
    await endAndExpectAll(backupId, holder, [queued]);
  });

  test('two backups at once: each worker passes by its own holder, and the key is free a moment later', async () => {
    const [one, two] = [nextBackupId(), nextBackupId()];
    const holders = [await world.hold(one), await world.hold(two)] as const;
    const queued = await world.queue('truncate app.t1');

    const rows = await Promise.all([
      world.work(one, holders[0].expected, ['t1']),
      world.work(two, holders[1].expected, ['t1']),
    ]);

    expect(rows).toEqual([[ROWS], [ROWS]]);
    // A key that a holder had kept would stop the next worker for good.
    expect(await world.work(one, holders[0].expected, ['t2'])).toEqual([ROWS]);
    await world.end(one);
    expect(queued.hasEnded()).toBe(false);
    expect(await world.work(two, holders[1].expected, ['t1'])).toEqual([ROWS]);
    await holders[0].dropClient();
    await endAndExpectAll(two, holders[1], [queued]);
  });

  test('a worker behind a lock that is granted: the holder keeps out, so that nobody becomes the victim of a deadlock', async () => {
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    // Not locked by the holder, so somebody can have it; the same somebody then waits for the holder.
    await world.fresh.query('create table app.extra (id int)');
    const migration = await world.fresh.client();
    await migration.query('begin; lock table app.extra in access exclusive mode');
    const worker = world.work(backupId, holder.expected, ['extra']);
    const truncate = migration.query('truncate app.t1');
    // Somebody who is no worker has no key: what a worker would suffer without.
    const bystander = await world.fresh.client();
    await bystander.query("set lock_timeout = '3500ms'");

    const refused = await bystander
      .query('begin; lock table app.t1 in access share mode')
      .catch((error: unknown) => error);

    expect(refused).toMatchObject({ code: '55P03' });
    await bystander.query('rollback');
    await world.end(backupId);
    await truncate;
    await migration.query('commit');
    expect(await worker).toEqual([0]);
    await holder.dropClient();
    await world.fresh.query('drop table app.extra');
    await world.recreate('t1');
  });
});

describe('what needs no lock that conflicts with a backup', () => {
  test('CREATE INDEX, VACUUM with an empty end of the table, and writers go on, and the worker reads the old rows', async () => {
    await world.fresh.query(`delete from app.t2 where id > ${ROWS / 2}`);
    const backupId = nextBackupId();
    const holder = await world.hold(backupId);
    await world.fresh.query('create index on app.t1 (id)');
    await world.fresh.query("insert into app.t1 values (0, 'new')");
    await world.fresh.query('delete from app.t3');
    // It tries for 5 s to cut the end off, which takes the strongest lock, and must give up.
    const vacuum = await world.queue('vacuum app.t2');
    await sleep(200);

    const { result, ms } = await timed(async () => await world.work(backupId, holder.expected, ['t1', 't2', 't3']));

    expect(result).toEqual([ROWS, ROWS / 2, ROWS]);
    expect(ms).toBeLessThan(2_000);
    await world.end(backupId);
    expect(await vacuum.ended).not.toBeInstanceOf(Error);
    await holder.dropClient();
    for (const name of TABLES) await world.recreate(name);
  });
});
