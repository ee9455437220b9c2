// The relay, where no statement outlives its client: two functions in turn keep the snapshot, and each takes it over from
// the other, with a lock on every table, before that one may leave. Never leaves while it is the newest holder.
import { systemClock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';
import { ALONE_SECONDS, prepareHolder } from './hold-snapshot.ts';
import { enderNameOf, listHolders, relayKeyOf, snapshotLost, workersKeyOf } from './holder-sessions.ts';
import { importSnapshot } from './import-snapshot.ts';
import { lockTables } from './lock-tables.ts';
import { refuseRewrittenTables } from './refuse-rewritten-tables.ts';

/** Between two looks of the client. A client that stands still for 10 s more than this loses the snapshot. */
const SLICE_SECONDS = 1;
const LOCK_WITHIN_MS = 60_000;

interface TakeOver {
  backupId: string;
  expected: BackupPlan['server'];
  tables: readonly Pick<BackupPlan['tables'][number], 'oid' | 'schema' | 'name'>[];
  /** For all tables, 60 s by default; the old holder lets this session pass whatever is queued for one of them. */
  lockWithinMs?: number | undefined;
  signal: AbortSignal;
}

interface Shift {
  backupId: string;
  /** Of this session's own export. */
  snapshotId: string;
  shiftSeconds: number;
  aloneSeconds?: number;
  /** Its abort is the deadline of the function. */
  signal: AbortSignal;
}

/** `relieved`: the other function has taken over. `ended`: the backup was ended. `alone`: no worker was seen any more. */
export type ShiftEnd = 'relieved' | 'ended' | 'alone';

/**
 * Puts this session on the snapshot of the newest holder, locks all tables and exports the snapshot again; gives the id.
 *
 * holdShift() is to follow at once: until then nobody knows of this session. Throws `backup.snapshot_lost` when there is
 * no holder, `backup.table_locked` or `backup.table_rewritten` when a table cannot be had as it was; the old holder stays
 * where it is then.
 */
export async function takeOverSnapshot(session: DatabaseSession, request: TakeOver): Promise<string> {
  const { backupId, tables, signal, lockWithinMs = LOCK_WITHIN_MS } = request;
  await importSnapshot(session, request);
  await lockTables(session, tables, { clock: systemClock, withinMs: lockWithinMs, signal });
  await refuseRewrittenTables(session, tables);
  // From here on this session is the one that waits for the workers' key.
  await session.query('select pg_catalog.pg_advisory_unlock_shared(pg_catalog.hashtextextended($1, 0))', [
    workersKeyOf(backupId),
  ]);
  const { rows } = await session.query<{ id: string }>('select pg_catalog.pg_export_snapshot() as id');
  return rows[0]?.id ?? '';
}

/**
 * Holds the snapshot for a shift, and after it until a newer holder is there; ends the transaction and says why.
 *
 * The session must be in the transaction that has exported the snapshot and locked all tables; from the first statement
 * on it is a holder that workers and the next holder find. Throws `backup.snapshot_lost` when the session is ended by
 * anything else, or when nobody has come to take over until the signal is aborted; the session must be closed then.
 */
export async function holdShift(session: DatabaseSession, shift: Shift): Promise<ShiftEnd> {
  try {
    const end = await holdUntilEnd(session, shift);
    await session.query('rollback');
    // As a worker it would keep the other holder from seeing that it is alone.
    await session.query("set application_name = 'nightshift/backup'");
    return end;
  } catch (error) {
    if (error instanceof JobFailure || shift.signal.aborted) throw error;
    throw snapshotLost(
      `the session that holds snapshot ${shift.snapshotId} in this shift was lost: ${describeError(error)}`,
      error,
    );
  }
}

async function holdUntilEnd(session: DatabaseSession, shift: Shift): Promise<ShiftEnd> {
  const { backupId, shiftSeconds, aloneSeconds = ALONE_SECONDS, signal } = shift;
  const until = systemClock.monotonicMs() + shiftSeconds * 1_000;
  // Before the name, by which it is found: whoever ends it must see that it is one of the relay.
  await session.query('select pg_catalog.pg_advisory_lock_shared(pg_catalog.hashtextextended($1, 0))', [
    relayKeyOf(backupId),
  ]);
  await prepareHolder(session, { ...shift, lifeSeconds: SLICE_SECONDS, outlivesClient: false });
  for (;;) {
    await session.query(readSqlFile('backup/hold-snapshot.sql'));
    await session.query('select pg_catalog.pg_stat_clear_snapshot()');
    const { rows } = await session.query<{ is_ended: boolean; unseen: number }>(readSqlFile('backup/relay-state.sql'), [
      enderNameOf(backupId),
    ]);
    if (rows[0]?.is_ended) return 'ended';
    if ((rows[0]?.unseen ?? 0) >= aloneSeconds) return 'alone';
    const isOver = systemClock.monotonicMs() >= until;
    if (isOver && (await listHolders(session, backupId))[0]?.isSelf === false) return 'relieved';
    if (isOver && signal.aborted) throw notRelieved(shift);
    signal.throwIfAborted();
  }
}

function notRelieved({ snapshotId, shiftSeconds, signal }: Shift): JobFailure {
  return snapshotLost(
    `nobody has taken snapshot ${snapshotId} over since the shift of ${shiftSeconds} s was over, until the time of this function was over`,
    signal.reason,
  );
}
