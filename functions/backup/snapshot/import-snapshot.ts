// Puts a worker's session on the shared snapshot and locks what it reads. Called by the workers of a backup and by the next
// holder of the relay; never falls back to another snapshot, and never takes an empty table for a table without rows.
import { systemClock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import {
  INVALID_PARAMETER_VALUE,
  INVALID_SCHEMA_NAME,
  LOCK_NOT_AVAILABLE,
  OBJECT_NOT_IN_PREREQUISITE_STATE,
  sqlState,
  UNDEFINED_OBJECT,
  UNDEFINED_TABLE,
} from '../../shared/postgres-errors.ts';
import { quoteLiteral, quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { BackupPlan, PlannedTable } from '../plan/plan-contract.ts';
import { listHolders, snapshotLost, workersKeyOf } from './holder-sessions.ts';
import { applicationNameOf } from './open-source.ts';
import { refuseRewrittenTables } from './refuse-rewritten-tables.ts';
import { readServerFacts } from './server-facts.ts';

/** Two holders of the relay can change places between the look and the import, but not time after time. */
const MOST_READS = 5;
const PAUSE_MS = 500;
/** What the server says of a snapshot whose transaction has ended, by version. */
const SNAPSHOT_GONE: readonly (string | undefined)[] = [
  INVALID_PARAMETER_VALUE,
  UNDEFINED_OBJECT,
  OBJECT_NOT_IN_PREREQUISITE_STATE,
];

interface SnapshotImport {
  backupId: string;
  expected: BackupPlan['server'];
  signal: AbortSignal;
}

/**
 * Begins a transaction on the snapshot that the newest holder of the backup has, under the settings of the backup.
 *
 * The session keeps the name `nightshift/backup <id>` and the key of the workers until it is closed: the holder lives as
 * long as it sees that name, and lets those who hold that key pass a queued DDL. Throws `backup.snapshot_lost` when there
 * is no holder after 5 looks in 2 s, or when server or snapshot are not the expected ones.
 */
export async function importSnapshot(session: DatabaseSession, request: SnapshotImport): Promise<void> {
  const { backupId, expected, signal } = request;
  // First of all: from here on the holder sees that it is not alone.
  await session.query("select pg_catalog.set_config('application_name', $1, false)", [applicationNameOf(backupId)]);
  await beginOnSnapshot(session, request);
  signal.throwIfAborted();
  await session.query(readSqlFile('backup/session.sql'));
  await session.query(readSqlFile('backup/worker-limits.sql'));
  const { server } = await readServerFacts(session);
  const wrong = (['snapshot', 'startedAt', 'address', 'serverId'] as const).filter(
    (name) => server[name] !== expected[name],
  );
  if (wrong.length > 0) {
    const differences = wrong.map((name) => `${name} "${server[name]}", not "${expected[name]}"`);
    throw snapshotLost(
      `the session sees another state than backup ${backupId} was planned on: ${differences.join('; ')}`,
    );
  }
  await session.query('select pg_catalog.pg_advisory_lock_shared(pg_catalog.hashtextextended($1, 0))', [
    workersKeyOf(backupId),
  ]);
}

async function beginOnSnapshot(
  session: DatabaseSession,
  { backupId, expected, signal }: SnapshotImport,
): Promise<void> {
  let last = 'no session of this role holds it';
  for (let read = 1; read <= MOST_READS; read += 1) {
    signal.throwIfAborted();
    if (read > 1) await systemClock.sleep(PAUSE_MS, signal);
    const [newest] = await listHolders(session, backupId);
    if (!newest) continue;
    await session.query('begin isolation level repeatable read read only');
    try {
      // Before any query: the transaction would have a snapshot of its own.
      await session.query(`set transaction snapshot ${quoteLiteral(newest.snapshotId)}`);
      return;
    } catch (error) {
      if (!SNAPSHOT_GONE.includes(sqlState(error))) throw error;
      last = `pid ${newest.processId} has let snapshot ${newest.snapshotId} go: ${describeError(error)}`;
      await session.query('rollback');
    }
  }
  throw snapshotLost(
    `snapshot ${expected.snapshot} of backup ${backupId} on server ${expected.address} could not be imported in ${MOST_READS} looks: ${last}`,
  );
}

/**
 * Locks one table in ACCESS SHARE mode and makes sure that it is still the one that the snapshot sees.
 *
 * Waits at least 60 s: longer than the holder needs to let this session pass a DDL that has queued for the table. Throws
 * `backup.table_locked` after that, and `backup.table_rewritten` when the table was truncated, rewritten, renamed or
 * dropped, which only a holder that is gone lets happen.
 */
export async function lockTable(
  session: DatabaseSession,
  table: Pick<PlannedTable, 'oid' | 'schema' | 'name'>,
): Promise<void> {
  const name = quoteQualified(table.schema, table.name);
  try {
    await session.query(`lock table only ${name} in access share mode`);
  } catch (error) {
    const state = sqlState(error);
    if (state === UNDEFINED_TABLE || state === INVALID_SCHEMA_NAME) throw dropped(name, error);
    if (state === LOCK_NOT_AVAILABLE) throw notLocked(name, error);
    throw error;
  }
  await refuseRewrittenTables(session, [table]);
}

function dropped(name: string, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'backup.table_rewritten',
    problem: `table ${name} was dropped or renamed while the backup was made: its holder must have gone`,
    safeState: 'No backup was recorded',
    hint: 'look in the log of the server for what has ended the session of the snapshot holder',
    cause,
  });
}

function notLocked(name: string, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'backup.table_locked',
    problem: `table ${name} could not be locked: ${describeError(cause)} (allowed: 60 s, or 4 times deadlock_timeout)`,
    safeState: 'No backup was recorded',
    hint: 'look in pg_stat_activity for an ALTER, DROP, TRUNCATE or LOCK TABLE that waits or runs at this time, and let it end first',
    cause,
  });
}
