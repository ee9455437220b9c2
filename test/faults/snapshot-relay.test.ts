import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importSnapshot, lockTable } from '../../functions/backup/snapshot/import-snapshot.ts';
import { holdShift, type ShiftEnd, takeOverSnapshot } from '../../functions/backup/snapshot/relay-shift.ts';
import type { Database, DatabaseSession } from '../../functions/shared/database.ts';
import { createSnapshotWorld, nextBackupId, ROWS, type SnapshotWorld } from '../support/held-snapshot.ts';
import { never, type OpenedSnapshot, openAndLock } from '../support/open-and-lock.ts';
import { rounds } from '../support/test-size.ts';

let world: SnapshotWorld;

beforeAll(async () => {
  world = await createSnapshotWorld(3);
});
afterAll(async () => {
  await world.drop();
});

interface Shift {
  opened: OpenedSnapshot;
  processId: number;
  end: Promise<ShiftEnd>;
}

interface ShiftOptions {
  shiftSeconds: number;
  aloneSeconds?: number;
  signal?: AbortSignal;
}

/** One function of the relay, with a pool of its own: `begin` puts its session on the snapshot. */
async function startFunction(
  backupId: string,
  options: ShiftOptions,
  begin: (session: DatabaseSession) => Promise<OpenedSnapshot>,
): Promise<Shift> {
  const pool: Database = world.fresh.database('backup', world.login);
  const started = Promise.withResolvers<Omit<Shift, 'end'>>();
  const hold = async () => {
    try {
      return await pool.withSession(async (session) => {
        const opened = await begin(session);
        started.resolve({ opened, processId: session.processId });
        return await holdShift(session, { signal: never, ...options, ...opened, backupId });
      });
    } finally {
      await pool.close();
    }
  };
  const end = hold();
  end.catch(started.reject);
  return { ...(await started.promise), end };
}

/** The function that takes the snapshot. */
async function startFirst(backupId: string, options: ShiftOptions): Promise<Shift> {
  const tables = await world.tables();
  const first = await startFunction(backupId, options, async (session) => await openAndLock(session, backupId, tables));
  await expect.poll(async () => await world.isAlive(backupId)).toBe(true);
  return first;
}

/** A function that takes it over. */
async function startNext(
  backupId: string,
  { expected }: OpenedSnapshot,
  options: ShiftOptions & { lockWithinMs?: number; more?: { oid: number; schema: string; name: string }[] },
): Promise<Shift> {
  const tables = [...(await world.tables()), ...(options.more ?? [])];
  return await startFunction(backupId, options, async (session) => {
    const request = { backupId, expected, tables, signal: never, lockWithinMs: options.lockWithinMs };
    return { expected, snapshotId: await takeOverSnapshot(session, request) };
  });
}

/** One of the two branches of the workflow: takes over again and again until the backup is ended. */
async function runBranch(backupId: string, begun: Shift, options: ShiftOptions, ends: ShiftEnd[]): Promise<void> {
  for (let shift = begun; ; shift = await startNext(backupId, begun.opened, options)) {
    const end = await shift.end;
    ends.push(end);
    if (end !== 'relieved') return;
  }
}

async function truncateOnce(): Promise<unknown> {
  const client = await world.fresh.client();
  await client.query("set lock_timeout = '1500ms'");
  const result = await client.query('truncate app.t1').catch((error: unknown) => error);
  await client.end();
  return result;
}

describe('the relay', () => {
  test('changes hands time after time while others write, truncate and read: every worker sees every row', async () => {
    const backupId = nextBackupId();
    const options = { shiftSeconds: 2 };
    const handOvers = rounds + 1;
    const ends: ShiftEnd[] = [];
    const first = await startFirst(backupId, options);
    const second = await startNext(backupId, first.opened, options);
    const branches = [first, second].map(async (begun) => await runBranch(backupId, begun, options, ends));
    const isOver = () => ends.length >= handOvers;

    const counts: number[] = [];
    const truncates: unknown[] = [];
    await Promise.all([
      (async () => {
        while (!isOver()) counts.push(...(await world.work(backupId, first.opened.expected, ['t1', 't2', 't3'])));
      })(),
      (async () => {
        while (!isOver()) truncates.push(await truncateOnce());
      })(),
      (async () => {
        while (!isOver()) {
          await world.fresh.query("insert into app.t2 values (0, 'late'); delete from app.t3 where id % 7 = 0");
          await sleep(50);
        }
      })(),
    ]);
    await world.end(backupId);
    await Promise.all(branches);

    expect(ends.filter((end) => end === 'relieved').length).toBeGreaterThanOrEqual(handOvers);
    expect(ends.filter((end) => end === 'ended')).toHaveLength(2);
    expect(counts.length).toBeGreaterThan(6);
    expect(counts.filter((rows) => rows !== ROWS)).toEqual([]);
    for (const truncate of truncates) expect(truncate).toMatchObject({ code: '55P03' });
    expect(await world.isAlive(backupId)).toBe(false);
    for (const name of ['t1', 't2', 't3']) await world.recreate(name);
  });

  test('a TRUNCATE is in the queue: the next holder passes it, and it waits for that one too', async () => {
    const backupId = nextBackupId();
    const first = await startFirst(backupId, { shiftSeconds: 1 });
    const truncate = await world.queue('truncate app.t1');

    const second = await startNext(backupId, first.opened, { shiftSeconds: 60 });

    expect(await first.end).toBe('relieved');
    expect(await world.work(backupId, first.opened.expected, ['t1'])).toEqual([ROWS]);
    expect(truncate.hasEnded()).toBe(false);
    await world.end(backupId);
    expect(await second.end).toBe('ended');
    expect(await truncate.ended).not.toBeInstanceOf(Error);
    await world.recreate('t1');
  });

  test('the next holder cannot lock a table: it fails by name, and the old one holds on', async () => {
    const backupId = nextBackupId();
    const first = await startFirst(backupId, { shiftSeconds: 1 });
    await world.fresh.query('create table app.extra (id int)');
    const owner = await world.fresh.client();
    await owner.query('begin; lock table app.extra in access exclusive mode');

    const failure = await startNext(backupId, first.opened, { shiftSeconds: 1, lockWithinMs: 500 }).catch(
      (error: unknown) => error,
    );

    expect(failure).toMatchObject({ code: 'backup.table_locked', problem: expect.stringContaining('500 ms') });
    await sleep(1_500);
    expect(await world.isAlive(backupId)).toBe(true);
    await owner.query('rollback');
    await world.fresh.query('drop table app.extra');
    await world.end(backupId);
    expect(await first.end).toBe('ended');
  });

  test('nobody comes to take over: it holds until the time of its function is over, and then fails', async () => {
    const backupId = nextBackupId();
    const deadline = new AbortController();
    const first = await startFirst(backupId, { shiftSeconds: 1, signal: deadline.signal });
    const truncate = await world.queue('truncate app.t1');
    await sleep(2_500);
    expect(truncate.hasEnded()).toBe(false);

    deadline.abort(new Error('out of time'));

    await expect(first.end).rejects.toMatchObject({
      code: 'backup.snapshot_lost',
      problem: expect.stringMatching(/^nobody has taken snapshot .* over since the shift of 1 s/),
    });
    await truncate.ended;
    await world.recreate('t1');
  });

  test('no worker is seen any more and nobody ends it: it says so', async () => {
    const backupId = nextBackupId();
    const first = await startFirst(backupId, { shiftSeconds: 60, aloneSeconds: 2 });

    expect(await first.end).toBe('alone');

    expect(await world.isAlive(backupId)).toBe(false);
  });

  test('the holder is killed in its shift: it, the next one and every worker fail, and nobody reads a table as empty', async () => {
    const backupId = nextBackupId();
    const first = await startFirst(backupId, { shiftSeconds: 60 });
    const { expected } = first.opened;
    const [table] = await world.tables();
    if (!table) throw new Error('no table');

    const slow = await world.control
      .withSession(async (session) => {
        await importSnapshot(session, { backupId, expected, signal: never });
        await world.fresh.query('select pg_terminate_backend($1, 5000)', [first.processId]);
        await world.fresh.query(`truncate app.${table.name}`);
        await lockTable(session, table);
      })
      .catch((error: unknown) => error);
    const next = await startNext(backupId, first.opened, { shiftSeconds: 60 }).catch((error: unknown) => error);
    const late = await world.work(backupId, expected, ['t2']).catch((error: unknown) => error);

    await expect(first.end).rejects.toMatchObject({ code: 'backup.snapshot_lost' });
    expect(slow).toMatchObject({ code: 'backup.table_rewritten' });
    expect(next).toMatchObject({ code: 'backup.snapshot_lost' });
    expect(late).toMatchObject({ code: 'backup.snapshot_lost' });
    await world.recreate(table.name);
  });
});
