// Purge as the real role of bootstrap, on a cluster of its own, with a canary: a function that anybody may call and whose call
// leaves a row behind.

import { type PurgeEvent, purgeEvent, purgeResult } from '../../functions/purge/contract.ts';
import { pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET, startLocalAws } from '../support/local-aws.ts';
import { roleLogin, silentLog, silentMetrics, startOwnCluster } from './own-cluster.ts';

/** Its `close` takes all of it away. */
export async function createPurgeRoleWorld() {
  const cluster = await startOwnCluster();
  const aws = await startLocalAws();
  const store = createObjectStore(BUCKET);
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const admin = await cluster.client(dbname);
  const login = roleLogin(cluster, 'PURGE_SECRET_ARN');

  /** app.event: 100 rows, each a day older than the one before it. */
  async function reset() {
    await admin.query(`
      drop schema if exists app cascade;
      create schema app;
      create table app.event (id bigint primary key, at timestamptz not null, kind text not null, done_at timestamptz);
      insert into app.event select age, now() - make_interval(days => age), 'plain' from generate_series(1, 100) as age;
      create table app.called (at timestamptz default clock_timestamp());
      create function app.canary() returns boolean language plpgsql security definer as $$
      begin
        insert into app.called default values;
        return true;
      end $$;
      grant usage on schema app to nightshift_purge;
      grant select, update, delete on app.event to nightshift_purge;
      truncate nightshift.retention_policy, nightshift.legal_hold, nightshift.purge_run, nightshift.purge_object,
        nightshift.purge_stop, nightshift.data_classification`);
  }

  const policy = {
    name: 'events',
    schema_name: 'app',
    table_name: 'event',
    timestamp_column: 'at',
    retention: '60 days 12 hours',
    predicate: null as string | null,
    action: 'delete',
    archive_before_delete: false,
    enabled: true,
    reason: 'a test',
    anonymise: null as Record<string, string> | null,
    marker_column: null as string | null,
  };
  /** Writes a row; every value is a parameter. */
  async function insert(table: string, row: Readonly<Record<string, unknown>>) {
    const columns = Object.keys(row);
    await admin.query(
      `insert into nightshift.${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
      Object.values(row),
    );
  }
  const addPolicy = async (more: Partial<typeof policy> = {}) =>
    await insert('retention_policy', { ...policy, ...more });

  async function purge(event: Omit<PurgeEvent, 'job'> = {}) {
    const database = cluster.database('purge', dbname, login);
    const running = runPurge({
      connection: database,
      database: 'shop',
      store,
      event: purgeEvent.parse({ job: 'purge', requestedBy: 'ana', ...event }),
      runId: 'request-1',
      settings: {
        batchRows: 1_000,
        targetBatchMs: 100,
        statementTimeoutMs: 60_000,
        pressure: pressureLimits,
        kept: { backupsKeptDays: 30, pitrDays: 7, archiveKeptDays: 90 },
      },
      signingKey: undefined,
      timeLimitMs: undefined,
      clock: systemClock,
      log: silentLog,
      metrics: silentMetrics,
      signal: new AbortController().signal,
    });
    await running.then(
      async () => await database.close(),
      async () => await database.close(),
    );
    return purgeResult.parse(await running);
  }

  const count = async (from: string, values: unknown[] = []) =>
    (await admin.query<{ count: number }>(`select count(*)::int as count from ${from}`, values)).rows[0]?.count;

  return {
    cluster,
    store,
    admin,
    reset,
    insert,
    addPolicy,
    purge,
    count,
    client: async () => await cluster.client(dbname, login),
    close: async () => {
      await aws.stop();
      await cluster.stop();
    },
  };
}

export type PurgeRoleWorld = Awaited<ReturnType<typeof createPurgeRoleWorld>>;
