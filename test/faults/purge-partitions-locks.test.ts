// drop_partition beside a backup, readers, a person who places a hold, and writers of other tables: it waits, and nobody waits for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { attemptStatement } from '../../functions/purge/partitions/attempt-statement.ts';
import { tryAdvisoryLock } from '../../functions/shared/advisory-lock.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createPartitionWorld, type PartitionWorld } from '../database/partition-world.ts';

let world: PartitionWorld;
beforeAll(async () => {
  world = await createPartitionWorld();
});
beforeEach(async () => await world.reset());
afterAll(async () => await world.cluster.stop());

/** An application that reads and writes all the time; its slowest statement in milliseconds. */
function startApplication(...statements: string[]) {
  const stopped = new AbortController();
  const running = (async () => {
    const client = await world.client();
    let slowest = 0;
    let count = 0;
    while (!stopped.signal.aborted) {
      for (const sql of statements) {
        const from = performance.now();
        await client.query(sql);
        slowest = Math.max(slowest, performance.now() - from);
        count += 1;
      }
      await sleep(2);
    }
    return { slowest, count };
  })();
  return async () => {
    stopped.abort();
    return await running;
  };
}

const THROUGH_THE_PARENT = [
  'select count(*) from app.event where id < 50',
  "insert into app.event values ((random() * 1e12)::bigint, '2026-05-05', null)",
];
const pending = async () =>
  (
    await world.admin.query<{ name: string }>(
      'select inhrelid::regclass::text as name from pg_inherits where inhdetachpending',
    )
  ).rows.map(({ name }) => name);

async function reader(sql: string): Promise<Client> {
  const client = await world.client();
  await client.query('begin');
  await client.query(sql);
  return client;
}

describe('dropPartitions', () => {
  test('a backup is at work: the run pauses and names it, nothing is done, the application is not delayed', async () => {
    const backup = world.cluster.database('backup', world.dbname, world.cluster.superuser);
    const stopWatch = world.watchWaiters();
    const stopApplication = startApplication(...THROUGH_THE_PARENT);

    const { partitions, pause } = await backup.withSession(async (session) => {
      await tryAdvisoryLock(session, 'nightshift:schema', 'shared');
      return await world.drop();
    });

    await backup.close();
    expect((await stopApplication()).count).toBeGreaterThan(2);
    expect(await stopWatch()).toEqual([]);
    expect(pause).toEqual({
      seconds: 300,
      reason: expect.stringMatching(
        /^policy "events" waits for the lock "nightshift:schema", which is held by pid \d+ \("nightshift\/backup".*shared/,
      ),
    });
    expect(partitions.map(({ state }) => state)).toEqual(['planned', 'planned']);
    expect(await world.tables()).toHaveLength(4);
    expect(await world.records()).toEqual([]);
  });

  test('a transaction that has read the table stays open: bounded, then a pause that names it; nobody waits; the next run ends it', async () => {
    const old = await reader('select count(*) from app.event');
    const stopWatch = world.watchWaiters();
    const stopApplication = startApplication(...THROUGH_THE_PARENT);
    const from = performance.now();

    const { partitions, pause, warnings } = await world.drop();

    const seconds = (performance.now() - from) / 1_000;
    const application = await stopApplication();
    expect(await stopWatch()).toEqual([]);
    expect(application.count).toBeGreaterThan(50);
    expect(application.slowest).toBeLessThan(500);
    expect(seconds).toBeLessThan(10);
    expect(pause).toEqual({
      seconds: 60,
      reason: expect.stringMatching(
        /of the detach of app\.p2023 waits for pid \d+ \("test", transaction open for \d+ s, idle in transaction, last statement: select count\(\*\) from app\.event\)/,
      ),
    });
    expect(partitions.map(({ state }) => state)).toEqual(['planned', 'planned']);
    expect(warnings).toEqual([
      'app.p2023 is half detached: app.event does not show its rows any more; the next run ends it',
    ]);
    expect(await pending()).toEqual(['app.p2023']);

    await old.query('commit');
    const next = await world.drop();

    expect(next.partitions.map(({ table, state, rows }) => `${table} ${state} ${rows}`)).toEqual([
      'app.p2023 dropped 100',
      'app.p2024 dropped 100',
    ]);
    expect(await world.records()).toEqual(['p2023 dropped 100', 'p2024 dropped 100']);
  });

  test('a transaction holds the partition alone: whoever reads that partition waits once for half a second at most', async () => {
    const old = await reader('select count(*) from app.p2023');
    const stopApplication = startApplication('select count(*) from app.p2023', ...THROUGH_THE_PARENT);

    const { pause } = await world.drop();

    const { slowest, count } = await stopApplication();
    expect(pause?.reason).toMatch(/waits for pid \d+ \("test", .*last statement: select count\(\*\) from app\.p2023/);
    expect(slowest).toBeLessThan(900);
    expect(count).toBeGreaterThan(50);
    await old.query('commit');
    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test('half detached, and a hold is placed: it is detached and kept, with the statement that attaches it again', async () => {
    const old = await reader('select count(*) from app.event');
    await world.drop();
    await old.query('commit');
    await world.hold('event', null);

    const { partitions, warnings } = await world.drop();

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept' },
      { table: 'app.p2024', state: 'kept' },
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^app\.p2023 is detached and not dropped, .* attach partition/)]);
    expect(await world.tables()).toEqual(['p2023 detached', 'p2024', 'p2025', 'p2026']);
    expect(await pending()).toEqual([]);
  });

  test('half detached, and the policy now keeps it: it is detached and kept', async () => {
    const old = await reader('select count(*) from app.event');
    await world.drop();
    await old.query('commit');

    const { partitions } = await world.drop({ cutoff: '2023-06-01 00:00:00+00' });

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept', reason: expect.stringContaining('not past retention any more') },
    ]);
    expect(await world.tables()).toEqual(['p2023 detached', 'p2024', 'p2025', 'p2026']);
  });

  test('somebody else has left a partition half detached that is to stay: refused, with what ends it', async () => {
    const old = await reader('select count(*) from app.event');
    const other = await world.client();
    await other.query("set lock_timeout = '100ms'");
    await expect(other.query('alter table app.event detach partition app.p2026 concurrently')).rejects.toThrow(
      'lock timeout',
    );
    await old.query('commit');

    await expect(world.drop()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('app.p2026 is half detached by somebody else'),
      hint: expect.stringContaining('FINALIZE'),
    });
    expect(await world.tables()).toHaveLength(4);
  });

  test('beside a DEFAULT partition, and a reader is in the way: tries of 200 ms, then a pause; later it goes', async () => {
    await world.admin.query(
      'set role app_owner; create table app.p_default partition of app.event default; reset role',
    );
    const old = await reader('select count(*) from app.event');
    const stopApplication = startApplication(...THROUGH_THE_PARENT);

    const { partitions, pause, warnings } = await world.drop();

    const { slowest } = await stopApplication();
    expect(slowest).toBeLessThan(600);
    expect(pause?.reason).toMatch(/^the detach of app\.p2023 waits for pid \d+/);
    expect(partitions.map(({ state }) => state)).toEqual(['planned', 'planned']);
    expect(warnings).toEqual([]);
    expect(await world.records()).toEqual(['p2023 planned']);
    await old.query('commit');
    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
    expect(await world.records()).toEqual(['p2023 dropped 100', 'p2024 dropped 100']);
  });

  test('a person is placing a hold: the drop waits for a moment, pauses, and keeps the table when the hold is there', async () => {
    const person = await world.client();
    let placing = false;
    const archive = async () => {
      if (placing) return;
      placing = true;
      await person.query('begin');
      await person.query(
        "insert into nightshift.legal_hold (schema_name, table_name, reason) values ('app', 'event', 'case 2')",
      );
    };

    const first = await world.drop({ archives: true, archive });
    await person.query('commit');
    const second = await world.drop({ archives: true, archive });

    expect(first.pause?.reason).toMatch(
      /^the drop of app\.p2023 waits for pid \d+ .*insert into nightshift\.legal_hold/i,
    );
    expect(first.partitions.map(({ state }) => state)).toEqual(['detached', 'planned']);
    expect(second.partitions.map(({ state }) => state)).toEqual(['kept', 'kept']);
    expect(await world.tables()).toEqual(['p2023 detached', 'p2024', 'p2025', 'p2026']);
  });

  test('somebody reads the detached table: the drop is not even tried, so that nobody queues behind it; later it goes', async () => {
    let old: Client | undefined;
    const archive = async () => {
      old ??= await reader('select count(*) from app.p2023');
    };
    await world.drop({ archives: true, archive });
    const stopWatch = world.watchWaiters();
    const stopApplication = startApplication('select count(*) from app.p2023', ...THROUGH_THE_PARENT);

    const { partitions, pause } = await world.drop({ archives: true, archive });

    const { slowest } = await stopApplication();
    expect(await stopWatch()).toEqual([]);
    expect(slowest).toBeLessThan(500);
    expect(pause?.reason).toMatch(/^the drop of app\.p2023 waits for pid \d+/);
    expect(partitions).toMatchObject([{ table: 'app.p2023', state: 'detached' }]);
    await old?.query('commit');
    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test('the table that the partition references is in use: tries of 200 ms, then a pause; later the partition goes', async () => {
    let old: Client | undefined;
    const archive = async () => {
      old ??= await reader('select count(*) from app.person');
    };
    const stopApplication = startApplication('select count(*) from app.person', ...THROUGH_THE_PARENT);

    const { partitions, pause } = await world.drop({ archives: true, archive });

    const { slowest } = await stopApplication();
    expect(slowest).toBeLessThan(600);
    expect(pause?.reason).toMatch(/^the drop of app\.p2023 waits for pid \d+ .*select count\(\*\) from app\.person/);
    expect(partitions.map(({ state }) => state)).toEqual(['detached', 'planned']);
    await old?.query('commit');
    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test('somebody has locked a partition away: the run pauses, and is no failure', async () => {
    const owner = await reader('lock table app.p2024 in access exclusive mode');

    const { partitions, pause } = await world.drop();

    expect(pause).toEqual({ seconds: 60, reason: expect.stringMatching(/^policy "events" waits for a lock: /) });
    expect(partitions).toEqual([]);
    await owner.query('rollback');
    expect((await world.drop()).partitions.map(({ state }) => state)).toEqual(['dropped', 'dropped']);
  });

  test('a migration alters the partition between the choice and its turn: it is kept', async () => {
    const archive = async (_: unknown, { table }: { table: string }) => {
      if (table !== 'p2023') return;
      await world.admin.query(`
        alter table app.event detach partition app.p2024;
        alter table app.event attach partition app.p2024 for values from ('2024-01-01') to ('2024-12-31')`);
    };

    const { partitions } = await world.drop({ archives: true, archive });

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'dropped' },
      { table: 'app.p2024', state: 'kept', reason: 'it was changed a moment ago' },
    ]);
    expect(await world.tables()).toEqual(['p2024', 'p2025', 'p2026']);
  });

  test('the detached table was dropped, renamed or attached by a person: each is told, and only that table is meant', async () => {
    const fail = async () => {
      throw new Error('no archive');
    };
    const detach = async () =>
      await expect(world.drop({ archives: true, archive: fail })).rejects.toThrow('no archive');

    await detach();
    await world.admin.query('drop table app.p2023; create table app.p2023 (precious text)');
    const dropped = await world.drop({ keep: 3 });
    const left = (await world.admin.query("select to_regclass('app.p2023') is not null as there")).rows[0];
    await world.reset();
    await detach();
    await world.admin.query('alter table app.p2023 rename to p1999');
    const renamed = await world.drop({ keep: 3 });
    await world.reset();
    await detach();
    await world.admin.query(
      "alter table app.event attach partition app.p2023 for values from ('2023-01-01') to ('2024-01-01')",
    );
    const attached = await world.drop({ keep: 3 });

    expect(dropped).toMatchObject({
      partitions: [{ table: 'app.p2023', state: 'dropped', reason: 'somebody else has dropped it', rows: null }],
      warnings: ['app.p2023 is gone: somebody else has dropped it'],
    });
    expect(left).toEqual({ there: true });
    expect(renamed.partitions).toMatchObject([
      { table: 'app.p1999', state: 'kept', reason: 'it was called app.p2023 when it was detached' },
    ]);
    expect(attached.partitions).toMatchObject([{ table: 'app.p2023', state: 'dropped', rows: 100 }]);
  });

  test('the server refuses the detach because rows were referenced a moment ago: kept', async () => {
    await world.admin.query(`
      set role app_owner;
      create table app.item (event_id bigint, event_at timestamptz, foreign key (event_id, event_at) references app.event);
      reset role`);
    // The record is written between the look and the detach.
    await world.admin.query(`
      create function app.reference() returns trigger language plpgsql security definer as $$
      begin insert into app.item select id, at from app.p2023 limit 1; return null; end $$;
      create trigger reference after insert on nightshift.purge_partition for each statement
        when (pg_trigger_depth() = 0) execute function app.reference()`);

    const { partitions } = await world.drop({ keep: 3 });

    await world.admin.query('drop trigger reference on nightshift.purge_partition');

    expect(partitions).toMatchObject([
      { table: 'app.p2023', state: 'kept', reason: expect.stringMatching(/violates foreign key constraint/) },
    ]);
    expect(await world.tables()).toHaveLength(4);
    expect(await pending()).toEqual([]);
    expect(await world.records()).toEqual(['p2023 kept']);
  });
});

describe('attemptStatement', () => {
  test('somebody waits for what the statement has locked: it gives way within half a second', async () => {
    const database = world.cluster.database('purge', world.dbname, world.login);
    const writer = await world.client();
    const from = performance.now();

    const [outcome, waited] = await database.withSession(async (session) => {
      await session.query('begin; lock table app.event in share mode');
      const attempt = attemptStatement(
        { database, session, clock: systemClock, signal: new AbortController().signal },
        'select pg_sleep(20)',
        'the detach of app.p2023',
      );
      const writing = writer.query("insert into app.event values (1000, '2026-05-05', null)");
      const answer = await attempt;
      await session.query('rollback');
      await writing;
      return [answer, performance.now() - from] as const;
    });
    await database.close();

    expect(outcome).toMatchObject({
      state: 'pause',
      pause: { reason: 'the detach of app.p2023 was given up: canceling statement due to user request' },
    });
    expect(waited).toBeLessThan(1_500);
  });
});
