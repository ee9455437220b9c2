// When purge waits for the server, on a real one: a replica that lags, a slot that keeps WAL, VACUUM at work, a stop flag, sessions
// that wait. As the real role of purge, which is no superuser.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { countWaiters } from '../../functions/purge/pressure/count-waiters.ts';
import { type PressureLimits, pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import { readPressure } from '../../functions/purge/pressure/read-pressure.ts';
import type { Database, DatabaseSession } from '../../functions/shared/database.ts';
import { startStandby } from '../support/start-standby.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

let cluster: OwnCluster;
let dbname: string;
let database: Database;
let admin: Client;
let tableOids: number[];

beforeAll(async () => {
  cluster = await startOwnCluster({ wal_level: 'replica', max_wal_senders: '4', autovacuum_naptime: '1' });
  dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  admin = await cluster.client(dbname);
  await admin.query(`
    create schema app;
    create table app.event (id bigint primary key, filler text);
    insert into app.event select n, repeat('x', 500) from generate_series(1, 2000) n;
    grant usage on schema app to nightshift_purge;
    grant select, update, delete on app.event to nightshift_purge`);
  tableOids = (await admin.query<{ oid: number }>("select 'app.event'::regclass::oid as oid")).rows.map(
    ({ oid }) => oid,
  );
  database = cluster.database('purge', dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
});
afterEach(async () => {
  await admin.query('truncate nightshift.purge_stop');
});
afterAll(async () => {
  await database.close();
  await cluster.stop();
});

async function look(limits: Partial<PressureLimits> = {}, before?: (session: DatabaseSession) => Promise<unknown>) {
  return await database.withSession(async (session) => {
    await before?.(session);
    const reading = await readPressure(session, { tableOids, limits: { ...pressureLimits, ...limits } });
    await session.query('reset search_path');
    return reading;
  });
}

describe('readPressure', () => {
  test('nothing is in the way: no pressure, no warning, in less than 5 ms', async () => {
    const times: number[] = [];

    const readings = await database.withSession(async (session) => {
      const all = [];
      for (let turn = 0; turn < 21; turn += 1) {
        const from = performance.now();
        all.push(await readPressure(session, { tableOids, limits: pressureLimits }));
        times.push(performance.now() - from);
      }
      return all;
    });

    expect(readings.at(-1)).toEqual({ pressure: { state: 'none' }, warnings: [] });
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(5);
  });

  test('a person has said stop: the run is told by whom and why; when it is lifted there is no pressure', async () => {
    await admin.query("insert into nightshift.purge_stop (reason, placed_by) values ('audit until Friday', 'ada')");

    const stopped = await look();
    await admin.query("update nightshift.purge_stop set lifted_at = now(), lifted_by = 'ada'");
    const lifted = await look();

    expect(stopped.pressure).toEqual({
      state: 'stop',
      reason: expect.stringMatching(/^stopped by ada since \d{4}-.*: audit until Friday$/),
    });
    expect(lifted.pressure).toEqual({ state: 'none' });
  });

  test('the stop flag cannot be read: refused, never "no pressure"', async () => {
    await admin.query('revoke select on nightshift.purge_stop from nightshift_purge');

    await expect(look()).rejects.toMatchObject({
      code: 'purge.refused',
      problem: expect.stringMatching(/cannot be told whether somebody has stopped purge: permission denied/),
    });

    await admin.query('grant select on nightshift.purge_stop to nightshift_purge');
  });

  test('the role may not see statistics of others: a warning names the grant', async () => {
    await admin.query('revoke pg_read_all_stats from nightshift_purge');

    const { pressure, warnings } = await look();

    expect(pressure).toEqual({ state: 'none' });
    expect(warnings).toEqual([expect.stringMatching(/lag of replicas .* not seen: .* pg_read_all_stats/)]);
    await admin.query('grant pg_read_all_stats to nightshift_purge');
  });

  test('a slot keeps more WAL than allowed: pause with its name and the bytes; within the limit: none', async () => {
    await admin.query("select pg_create_physical_replication_slot('forgotten', true)");
    await admin.query("insert into app.event select n, repeat('y', 500) from generate_series(10001, 12000) n");

    const over = await look({ slotBytes: 100_000 });
    const within = await look();

    expect(over.pressure).toEqual({
      state: 'pause',
      seconds: 300,
      reason: expect.stringMatching(
        /^replication slot "forgotten" \(inactive\) keeps [\d.]+ (KiB|MiB) of WAL \(limit 97\.7 KiB\)$/,
      ),
    });
    expect(within.pressure).toEqual({ state: 'none' });
    await admin.query("select pg_drop_replication_slot('forgotten')");
  });

  test('VACUUM is at work on the table: pause with its pid; on another table: none', async () => {
    const worker = await cluster.client(dbname);
    await worker.query("set vacuum_cost_delay = '100ms'; set vacuum_cost_limit = 1");
    const vacuuming = worker.query('vacuum (disable_page_skipping) app.event').catch((error: unknown) => error);
    await expect
      .poll(async () => (await admin.query('select from pg_stat_progress_vacuum where heap_blks_scanned > 0')).rowCount)
      .toBe(1);

    const { pressure } = await look();
    const elsewhere = await database.withSession(
      async (session) => await readPressure(session, { tableOids: [1], limits: pressureLimits }),
    );
    await admin.query(
      "select pg_cancel_backend(pid) from pg_stat_activity where query like 'vacuum (%' and pid <> pg_backend_pid()",
    );

    expect(pressure).toEqual({
      state: 'pause',
      seconds: 60,
      reason: expect.stringMatching(/^VACUUM is at work on "app\.event" \(pid \d+, scanning heap, \d+%\)$/),
    });
    expect(elsewhere.pressure).toEqual({ state: 'none' });
    await vacuuming;
  });

  test('autovacuum is at work on the table: it is named as such', async () => {
    await admin.query(`
      alter table app.event set (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
      update app.event set filler = filler`);

    await expect
      .poll(async () => (await look()).pressure, { timeout: 20_000 })
      .toMatchObject({ state: 'pause', reason: expect.stringMatching(/^autovacuum is at work on "app\.event"/) });

    await admin.query(`
      alter table app.event reset (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
        autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit);
      alter table app.event set (autovacuum_enabled = off)`);
  });

  test('a standby replays late: pause with its seconds; one that replays nothing at all: with its bytes', async () => {
    const late = await startStandby(cluster, 'late', {
      recovery_min_apply_delay: '3s',
      wal_receiver_status_interval: '1s',
    });
    const halted = await startStandby(cluster, 'halted', {
      recovery_min_apply_delay: '1h',
      wal_receiver_status_interval: '1s',
    });
    try {
      let id = 100_000;
      const write = async () => {
        id += 1;
        await admin.query('insert into app.event values ($1)', [id]);
      };
      await expect
        .poll(
          async () => {
            await write();
            return (await admin.query("select from pg_stat_replication where state = 'streaming'")).rowCount;
          },
          { timeout: 20_000 },
        )
        .toBe(2);
      // Nobody has written more than that yet.
      expect((await look({ replicaLagSeconds: 60 })).pressure).toEqual({ state: 'none' });

      await expect
        .poll(
          async () => {
            await write();
            await sleep(100);
            return (await look({ replicaLagSeconds: 2 })).pressure;
          },
          { timeout: 20_000 },
        )
        .toEqual({
          state: 'pause',
          seconds: 30,
          // The other one tells seconds too once it has waited for longer than it takes to answer.
          reason: expect.stringMatching(/replica "late" is \d\.\d s behind \(limit 2 s\)/),
        });
      await admin.query("insert into app.event select n, repeat('z', 500) from generate_series(200001, 204000) n");
      await expect
        .poll(async () => (await look({ replicaLagSeconds: 60, replicaLagBytes: 1_000_000 })).pressure)
        .toMatchObject({
          state: 'pause',
          reason: expect.stringMatching(/replica "halted" is [\d.]+ MiB of WAL behind \(limit 977 KiB\)/),
        });
    } finally {
      await late.stop();
      await halted.stop();
    }
  });
});

// A stand-in: Aurora itself is not to be had here. It has the columns that AWS documents, and is found by the search_path.
describe('readPressure on Aurora', () => {
  const onAurora = async (session: DatabaseSession) => await session.query('set search_path = pg_catalog, aurora');

  beforeAll(async () => {
    await admin.query(`
      create schema aurora;
      grant usage on schema aurora to nightshift_purge;
      create table aurora.reader (server_id text, session_id text, last_update_timestamp timestamptz, replica_lag_in_msec real);
      create function aurora.aurora_replica_status()
        returns table (server_id text, session_id text, last_update_timestamp timestamptz, replica_lag_in_msec real)
        language sql security definer
        as 'select * from aurora.reader'`);
  });
  afterEach(async () => {
    await admin.query('truncate aurora.reader');
  });

  test('a reader is late: pause; the writer, a quick reader and one that is gone are none', async () => {
    await admin.query(`insert into aurora.reader values
      ('writer', 'MASTER_SESSION_ID', null, null),
      ('quick', 'a', now(), 18.5),
      ('gone', 'b', now() - interval '1 hour', 90000),
      ('late', 'c', now(), 1450)`);

    const { pressure, warnings } = await look({}, onAurora);

    expect(pressure).toEqual({ state: 'pause', seconds: 30, reason: 'replica "late" is 1.4 s behind (limit 1 s)' });
    expect(warnings).toEqual([]);
  });

  test('a reader without a lag is idle: no pressure', async () => {
    await admin.query("insert into aurora.reader values ('idle', 'a', now(), null)");

    expect((await look({}, onAurora)).pressure).toEqual({ state: 'none' });
  });

  test('the function may not be called: a warning, and the rest is still looked at', async () => {
    await admin.query('revoke execute on function aurora.aurora_replica_status() from public');

    const { pressure, warnings } = await look({}, onAurora);

    expect(pressure).toEqual({ state: 'none' });
    expect(warnings).toEqual([expect.stringMatching(/lag of the Aurora readers is not seen: permission denied/)]);
    await admin.query('grant execute on function aurora.aurora_replica_status() to public');
  });
});

describe('countWaiters', () => {
  test('sessions wait for rows and a table that this session has locked: they are counted; others are not', async () => {
    const foreign = await cluster.client(dbname);
    await foreign.query('begin; update app.event set filler = null where id = 9');
    const waiting: Promise<unknown>[] = [];
    const begin = async (sql: string) => {
      const client = await cluster.client(dbname);
      waiting.push(client.query(sql));
    };
    const counts: number[] = [];

    await database.withSession(async (session) => {
      await session.query('begin');
      await session.query("update app.event set filler = 'mine' where id in (1, 2)");
      counts.push(await countWaiters(session));
      await begin('update app.event set filler = null where id = 1');
      await begin('update app.event set filler = null where id = 2');
      await begin('begin; lock table app.event in share mode; commit');
      // This one waits for somebody else.
      await begin('select from app.event where id = 9 for update');
      await expect.poll(async () => (await admin.query('select from pg_locks where not granted')).rowCount).toBe(4);
      counts.push(await countWaiters(session));
      await session.query('rollback');
    });
    await foreign.query('rollback');
    await Promise.all(waiting);

    expect(counts).toEqual([0, 3]);
  });

  test('nobody waits: the answer takes less than 5 ms', async () => {
    const times: number[] = [];

    await database.withSession(async (session) => {
      for (let turn = 0; turn < 21; turn += 1) {
        const from = performance.now();
        expect(await countWaiters(session)).toBe(0);
        times.push(performance.now() - from);
      }
    });

    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(5);
  });
});
