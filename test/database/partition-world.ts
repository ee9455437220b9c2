// What the tests of drop_partition share: a cluster with the real roles, a partitioned table that belongs to the application, and
// dropPartitions as nightshift_purge, which is a member of the owner and no superuser.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { dropPartitions } from '../../functions/purge/partitions/drop-partitions.ts';
import type { DropDependencies, TableName } from '../../functions/purge/partitions/partition-work.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import type { LogFields } from '../../functions/shared/log.ts';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import { roleLogin, startOwnCluster } from './own-cluster.ts';

/** Before it: p2023 and p2024; p2025 and later are not past retention. */
export const CUTOFF = '2025-06-01 00:00:00+00';

/** Keeps the rows in a table, in the transaction of the drop: what was archived twice or not at all shows there. */
export async function archiveForTest(session: DatabaseSession, { schema, table }: TableName): Promise<void> {
  await session.query(`insert into app.archived select '${table}', id from ${quoteQualified(schema, table)}`);
}

export async function createPartitionWorld() {
  // Autovacuum would come and go, and with it its locks and the estimates of rows.
  const cluster = await startOwnCluster({ autovacuum: 'off' });
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const admin = await cluster.client(dbname);
  await admin.query("create role app_owner; set timezone = 'UTC'");
  const login = roleLogin(cluster, 'PURGE_SECRET_ARN');
  const clients: Client[] = [];

  /** Four years of a partition each with 100 rows, every row with an id of its own: 1 to 100 in p2023, 101 to 200 in p2024 … */
  async function reset({ type = 'timestamptz', key = 'primary key (id, at)' } = {}) {
    for (const opened of clients.splice(0)) await opened.end();
    await admin.query(`
      grant app_owner to nightshift_purge;
      drop schema if exists app cascade;
      create schema app authorization app_owner;
      set role app_owner;
      create table app.person (id bigint primary key);
      insert into app.person select generate_series(1, 400);
      create table app.archived (name text, id bigint);
      create table app.event (id bigint not null, at ${type} not null, person_id bigint references app.person, ${key})
        partition by range (at)`);
    for (const year of [2023, 2024, 2025, 2026]) {
      const first = (year - 2023) * 100 + 1;
      await admin.query(`
        create table app.p${year} partition of app.event for values from ('${year}-01-01') to ('${year + 1}-01-01');
        insert into app.event select n, '${year}-03-01'::date + n % 100, n from generate_series(${first}, ${first + 99}) n`);
    }
    await admin.query(`
      reset role;
      truncate nightshift.legal_hold, nightshift.purge_partition, nightshift.retention_policy, nightshift.data_classification`);
  }

  async function drop(more: Partial<DropDependencies> & { keep?: number; archives?: boolean } = {}) {
    const lines: (LogFields & { event: string })[] = [];
    const write = (event: string, fields: LogFields = {}) => void lines.push({ ...fields, event });
    const database = cluster.database('purge', dbname, login);
    const { keep = 1, archives = false, ...given } = more;
    const running = database.withSession(async (session) => {
      const result = await dropPartitions({
        database,
        session,
        policy: {
          name: 'events',
          schema_name: 'app',
          table_name: 'event',
          timestamp_column: 'at',
          archive_before_delete: archives,
          keep_partitions: keep,
        },
        cutoff: CUTOFF,
        seriesId: '1',
        dryRun: false,
        signal: new AbortController().signal,
        log: { info: write, warn: write, error: write },
        clock: systemClock,
        ...given,
      });
      const left = await session.query<{ lock: string; locks: number }>(
        "select current_setting('lock_timeout') as lock, (select count(*)::int from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks",
      );
      return { ...result, lines, left: left.rows[0] };
    });
    // Also after a failure: a test must leave no session behind.
    await running.then(
      async () => await database.close(),
      async () => await database.close(),
    );
    return await running;
  }

  async function client() {
    const opened = await cluster.client(dbname);
    clients.push(opened);
    return opened;
  }

  const tables = async () =>
    (
      await admin.query<{ name: string }>(`
        select relname || case when relispartition then '' else ' detached' end as name
        from pg_class where relnamespace = 'app'::regnamespace and relname ~ '^p[0-9]' and relkind in ('r', 'p') order by 1`)
    ).rows.map(({ name }) => name);
  const records = async () =>
    (
      await admin.query<{ record: string }>(
        "select table_name || ' ' || state || coalesce(' ' || row_count, '') as record from nightshift.purge_partition order by purge_partition_id",
      )
    ).rows.map(({ record }) => record);
  const hold = async (table: string, key: string | null, isSubject = false) =>
    await admin.query(
      "insert into nightshift.legal_hold (schema_name, table_name, key_value, is_subject, reason) values ('app', $1, $2, $3, 'case 1')",
      [table, key, isSubject],
    );

  /** Counts the sessions that wait for a lock, again and again until it is stopped; the most and their statements. */
  function watchWaiters() {
    const seen = new Set<string>();
    const stopped = new AbortController();
    const watching = (async () => {
      const own = await cluster.client(dbname);
      while (!stopped.signal.aborted) {
        const { rows } = await own.query<{ query: string }>(
          "select query from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'test'",
        );
        for (const { query } of rows) seen.add(query);
        await sleep(5);
      }
      await own.end();
    })();
    return async () => {
      stopped.abort();
      await watching;
      return [...seen];
    };
  }

  return { cluster, dbname, login, admin, reset, drop, client, tables, records, hold, watchWaiters };
}

export type PartitionWorld = Awaited<ReturnType<typeof createPartitionWorld>>;
