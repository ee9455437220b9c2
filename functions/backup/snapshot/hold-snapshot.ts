// Keeps the snapshot of a backup and its locks: by one long statement on the server, which needs no client, so that it
// outlives every function; and ends it again. Called by the steps of a backup; never takes a snapshot of its own.
import { systemClock } from '../../shared/clock.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { enderNameOf, holderNameOf, listHolders, snapshotLost, workersKeyOf } from './holder-sessions.ts';
import { applicationNameOf } from './open-source.ts';

/** A holder that has seen no worker for so long ends: long enough for a workflow to start a step again, no longer. */
export const ALONE_SECONDS = 120;
/** The first look comes after a second; a server that needs longer than this is not one to begin a backup on. */
const START_WITHIN_MS = 30_000;
/** How long the client of a relayed holder may take to see that the backup is over, until its session is ended for it. */
const LEAVE_WITHIN_MS = 5_000;
const GONE_WITHIN_MS = 30_000;
const POLL_MS = 50;

export interface HeldSnapshot {
  backupId: string;
  /** Of pg_export_snapshot() in the session's transaction. */
  snapshotId: string;
  lifeSeconds: number;
  /** Seconds without any worker after which the holder ends. */
  aloneSeconds?: number;
  /** True: nothing that happens to the client ends it. False: it ends about two seconds after its client has gone. */
  outlivesClient: boolean;
}

export interface SnapshotHolder {
  /** Says why the holder is gone, or why this client does not know any more whether it is; never rejects. */
  readonly ended: Promise<JobFailure>;
}

/**
 * Starts the statement that holds the snapshot, the locks of the session's transaction and its session locks.
 *
 * The session must be in the transaction that has exported the snapshot and locked all tables; it is busy until the
 * holder ends. Resolves when another session of `source` sees the statement at work; throws `backup.snapshot_lost` when
 * it ends before that. With `outlivesClient` the session may then be dropped in any way: killed, frozen, closed.
 */
export async function holdSnapshot(
  session: DatabaseSession,
  request: HeldSnapshot & { source: Database },
): Promise<SnapshotHolder> {
  await prepareHolder(session, request);
  const { backupId, snapshotId, lifeSeconds } = request;
  // Sent as one: the server lets snapshot and locks go by itself, whatever has become of the client. Read only.
  const ended = session.query(`${readSqlFile('backup/hold-snapshot.sql')} commit`).then(
    () => snapshotLost(`the holder of snapshot ${snapshotId} has ended by itself (life: ${lifeSeconds} s)`),
    (error: unknown) =>
      snapshotLost(`the session that holds snapshot ${snapshotId} was lost: ${describeError(error)}`, error),
  );
  await request.source.withSession(async (watcher) => {
    for (const until = systemClock.monotonicMs() + START_WITHIN_MS; ; ) {
      const holders = await listHolders(watcher, backupId);
      if (holders.some((holder) => holder.snapshotId === snapshotId && holder.isAsleep)) return;
      const failure = await Promise.race([ended, systemClock.sleep(POLL_MS)]);
      if (failure) throw failure;
      if (systemClock.monotonicMs() > until) {
        throw snapshotLost(`no holder of snapshot ${snapshotId} was seen within ${START_WITHIN_MS} ms of its start`);
      }
    }
  });
  return { ended };
}

/** Gives the session's transaction the name and the settings of a holder; hold-snapshot.sql is to follow at once. */
export async function prepareHolder(session: DatabaseSession, holder: HeldSnapshot): Promise<void> {
  const { backupId, snapshotId, lifeSeconds, aloneSeconds = ALONE_SECONDS, outlivesClient } = holder;
  await session.query(readSqlFile('backup/prepare-holder.sql'), [
    holderNameOf(backupId, snapshotId),
    outlivesClient,
    workersKeyOf(backupId),
    applicationNameOf(backupId),
    String(lifeSeconds),
    String(aloneSeconds),
  ]);
}

/** Whether a session of this role holds the snapshot of the backup in this database at this moment. */
export async function isHolderAlive(session: DatabaseSession, backupId: string): Promise<boolean> {
  return (await listHolders(session, backupId)).length > 0;
}

/**
 * Ends all holders of the backup's snapshot and waits until they are gone; safe to repeat.
 *
 * The session must not be in a transaction. A holder of the relay gets 5 s to leave by itself, so that its function ends
 * well. Throws `backup.holder_not_ended` when one is still there after 30 s.
 */
export async function endHolder(session: DatabaseSession, backupId: string): Promise<void> {
  const from = systemClock.monotonicMs();
  let nameBefore: string | undefined;
  for (; ; await systemClock.sleep(POLL_MS)) {
    const holders = await listHolders(session, backupId);
    if (holders.length === 0) break;
    const waitedMs = systemClock.monotonicMs() - from;
    if (waitedMs > GONE_WITHIN_MS) throw notEnded(backupId, holders[0]?.processId ?? 0);
    if (nameBefore === undefined && holders.some(({ isRelayed }) => isRelayed)) {
      nameBefore = await rename(session, enderNameOf(backupId));
    }
    for (const { processId, isRelayed } of holders) {
      if (isRelayed && waitedMs < LEAVE_WITHIN_MS) continue;
      await session.query('select pg_catalog.pg_terminate_backend($1)', [processId]);
    }
  }
  if (nameBefore !== undefined) await rename(session, nameBefore);
}

/** Sets the application_name of a session and gives the one it had. */
async function rename(session: DatabaseSession, name: string): Promise<string> {
  const { rows } = await session.query<{ before: string }>(
    "select pg_catalog.current_setting('application_name') as before",
  );
  await session.query("select pg_catalog.set_config('application_name', $1, false)", [name]);
  return rows[0]?.before ?? '';
}

function notEnded(backupId: string, processId: number): JobFailure {
  return new JobFailure({
    code: 'backup.holder_not_ended',
    problem: `pid ${processId}, which holds the snapshot of backup ${backupId}, is still there after ${GONE_WITHIN_MS} ms (allowed: ${GONE_WITHIN_MS} ms)`,
    safeState: 'Its snapshot holds back vacuum until it ends: by itself when no worker was seen for some minutes',
    hint: `look at pid ${processId} in pg_stat_activity; a superuser can end it with pg_terminate_backend`,
  });
}
