// What the database tests of purge share: a table of 100 rows of known age, a role with no more rights than purge needs,
// and purge itself with its logs and metrics caught.
import { randomBytes } from 'node:crypto';
import { type PurgeEvent, purgeResult } from '../../functions/purge/contract.ts';
import { pressureLimits } from '../../functions/purge/pressure/pressure-limits.ts';
import type { PurgeSettings } from '../../functions/purge/purge-context.ts';
import { runPurge } from '../../functions/purge/run-purge.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { Database } from '../../functions/shared/database.ts';
import type { LogFields } from '../../functions/shared/log.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import type { SigningKey } from '../../functions/shared/signing-key.ts';
import { listSqlFiles, readSqlFile } from '../../functions/shared/sql-files.ts';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { BUCKET, startLocalAws } from '../support/local-aws.ts';

interface PolicyParts {
  name?: string;
  table?: string;
  column?: string;
  retention?: string;
  predicate?: string;
  action?: string;
  archive?: boolean;
  enabled?: boolean;
  anonymise?: Record<string, string>;
  marker?: string;
  keepPartitions?: number;
  batchRows?: number;
}

interface PurgeParts {
  event?: Partial<Omit<PurgeEvent, 'job'>>;
  batchRows?: number;
  settings?: Partial<PurgeSettings>;
  signingKey?: SigningKey;
  runId?: string;
  signal?: AbortSignal;
  lockTimeoutMs?: number;
  /** Instead of a connection of its own as the role of purge; closed at the end all the same. */
  connection?: Database;
  /** Called after each committed batch. */
  onBatch?: () => Promise<void> | void;
}

/** The name of the database in the bucket. */
export const DATABASE = 'shop';

/** A database of its own with schema nightshift and a role for purge; `close` takes both away again. */
export async function createPurgeWorld() {
  const fresh = await createFreshDatabase();
  const aws = await startLocalAws();
  const store = createObjectStore(BUCKET);
  /** Ended before each test: one that failed in between must not keep the others waiting. */
  const blockers: { end(): Promise<void> }[] = [];
  const role = { user: `purge_${randomBytes(6).toString('hex')}`, password: 'only-in-this-test' };
  await fresh.query('create schema nightshift');
  for (const file of listSqlFiles('nightshift').filter((name) => /retention|purge/.test(name))) {
    await fresh.query(readSqlFile(`nightshift/${file}`));
  }
  await fresh.query(`
    create role ${role.user} login password '${role.password}';
    grant usage on schema nightshift to ${role.user};
    grant pg_read_all_stats to ${role.user};
    grant select on nightshift.retention_policy, nightshift.legal_hold, nightshift.data_classification, nightshift.purge_stop,
      nightshift.pii_without_policy to ${role.user};
    grant select, insert on nightshift.purge_object to ${role.user};
    grant select, insert, update on nightshift.purge_run, nightshift.purge_partition to ${role.user}`);

  /** 100 rows, each a day older than the one before it: 40 of them are older than 60 days and a half. */
  async function reset() {
    for (const blocker of blockers.splice(0)) await blocker.end();
    await fresh.query(`
      drop schema if exists app cascade;
      create schema app;
      create table app.event (
        id bigint generated always as identity primary key,
        "Created at" timestamptz not null,
        kind text not null default 'plain'
      );
      create index on app.event ("Created at");
      insert into app.event ("Created at") select now() - make_interval(days => age) from generate_series(1, 100) as age;
      grant usage on schema app to ${role.user};
      grant select, delete, update ("Created at") on app.event to ${role.user};
      truncate nightshift.retention_policy, nightshift.legal_hold, nightshift.purge_run, nightshift.purge_object,
        nightshift.purge_partition, nightshift.purge_stop, nightshift.data_classification`);
  }

  async function addPolicy(more: PolicyParts = {}) {
    await fresh.query(
      `insert into nightshift.retention_policy
        (name, schema_name, table_name, timestamp_column, retention, predicate, action, archive_before_delete, enabled, reason,
          anonymise, marker_column, keep_partitions, batch_rows)
        values ($1, 'app', $2, $3, $4, $5, $6, $7, $8, 'a test', $9, $10, $11, $12)`,
      [
        more.name ?? 'events',
        more.table ?? 'event',
        more.column ?? 'Created at',
        more.retention ?? '60 days 12 hours',
        more.predicate ?? null,
        more.action ?? 'delete',
        more.archive ?? false,
        more.enabled ?? true,
        more.anonymise ?? null,
        more.marker ?? null,
        more.keepPartitions ?? null,
        more.batchRows ?? 7,
      ],
    );
  }

  async function addHold(key: string | null, table = 'event') {
    await fresh.query(
      "insert into nightshift.legal_hold (schema_name, table_name, key_value, reason) values ('app', $1, $2, 'case 1')",
      [table, key],
    );
  }

  async function purge(more: PurgeParts = {}) {
    const database = more.connection ?? fresh.database('purge', role, { lockTimeoutMs: more.lockTimeoutMs ?? 300 });
    const metrics: Record<string, number> = {};
    const lines: (LogFields & { event: string })[] = [];
    const write = (event: string, fields: LogFields = {}) => {
      lines.push({ ...fields, event });
      if (event === 'purge.batch_done') void more.onBatch?.();
    };
    const batchRows = more.batchRows ?? 7;
    const running = runPurge({
      connection: database,
      database: DATABASE,
      store,
      event: { job: 'purge', ...more.event },
      runId: more.runId ?? 'request-1',
      settings: {
        batchRows,
        // So that its size stays what the test says.
        targetBatchMs: 100,
        statementTimeoutMs: 60_000,
        pressure: pressureLimits,
        kept: { backupsKeptDays: 30, pitrDays: 7, archiveKeptDays: 90 },
        ...more.settings,
      },
      signingKey: more.signingKey,
      timeLimitMs: undefined,
      clock: systemClock,
      log: { info: write, warn: write, error: write },
      metrics: { put: (name, value) => void (metrics[name] = value), flush: () => {} },
      signal: more.signal ?? new AbortController().signal,
    });
    // Also after a failure: a test must leave no session behind.
    await running.then(
      async () => await database.close(),
      async () => await database.close(),
    );
    const result = await running;
    return { result: purgeResult.parse(result), policy: result.policies[0], metrics, lines };
  }

  /** A session that keeps every batch waiting until it rolls back. */
  async function blockTable() {
    const client = await fresh.client();
    await client.query('begin');
    await client.query('lock table app.event in exclusive mode');
    blockers.push(client);
    return client;
  }
  /** Asked from a session of its own: the one of the test may be waiting itself. */
  const waiters = async () => {
    const client = await fresh.client();
    const { rowCount } = await client.query(
      "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    await client.end();
    return rowCount;
  };

  const countEvents = async () =>
    (await fresh.query<{ count: number }>('select count(*)::int as count from app.event')).rows[0]?.count;
  const readRuns = async () =>
    (
      await fresh.query<Record<string, unknown>>(
        'select policy, state, batches, rows_done::int, rows_held::int, rows_referenced::int, rows_left::int, requested_by, error from nightshift.purge_run order by purge_run_id',
      )
    ).rows;

  async function close() {
    await fresh.query(`drop owned by ${role.user}`);
    await fresh.query(`drop role ${role.user}`);
    await fresh.drop();
    await aws.stop();
  }

  return {
    fresh,
    aws,
    store,
    role,
    blockers,
    reset,
    addPolicy,
    addHold,
    purge,
    blockTable,
    waiters,
    countEvents,
    readRuns,
    close,
  };
}

export type PurgeWorld = Awaited<ReturnType<typeof createPurgeWorld>>;
