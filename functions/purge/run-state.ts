// The rows of nightshift.purge_run: where a run stands, where the next one goes on, and how each ended.
import type { DatabaseSession } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { PreparedPolicy } from './prepare-policy.ts';
import type { Cursor } from './run-batch.ts';

interface LastRun {
  state: 'running' | 'finished' | 'stopped' | 'failed';
  cursor_timestamp: string | null;
  cursor_key: string | null;
}

/** Opens a run; its cursor is that of the newest run when that one did not finish. */
export async function startRun(
  session: DatabaseSession,
  { policy, facts, cutoff }: PreparedPolicy,
  request: { requestId: string; requestedBy: string | undefined },
): Promise<{ runId: string; cursor: Cursor | undefined }> {
  const last = await session.query<LastRun & Record<string, unknown>>(readSqlFile('purge/last-run.sql'), [
    policy.name,
    cutoff,
  ]);
  const cursor = readCursor(last.rows[0], facts.key_columns.length);
  const { rows } = await session.query<{ purge_run_id: string }>(readSqlFile('purge/start-run.sql'), [
    policy.name,
    request.requestId,
    request.requestedBy ?? null,
    policy.schema_name,
    policy.table_name,
    cutoff,
    cursor?.timestamp ?? null,
    cursor === undefined ? null : JSON.stringify(cursor.key),
  ]);
  return { runId: rows[0]?.purge_run_id ?? '', cursor };
}

/** A cursor of another shape (the primary key was changed in between) is dropped: the run begins at the oldest row. */
function readCursor(last: LastRun | undefined, keyColumns: number): Cursor | undefined {
  if (last === undefined || last.state === 'finished') return undefined;
  if (last.cursor_timestamp === null || last.cursor_key === null) return undefined;
  const key: unknown = JSON.parse(last.cursor_key);
  if (!Array.isArray(key) || key.length !== keyColumns) return undefined;
  return { timestamp: last.cursor_timestamp, key: key.map(String) };
}

interface RunEnd {
  state: 'finished' | 'stopped' | 'failed';
  held: number;
  referenced: number;
  rowsLeft: number | null;
  error: string | null;
}

/** Ends a run that is still open. */
export async function endRun(session: DatabaseSession, runId: string, end: RunEnd): Promise<void> {
  await session.query(readSqlFile('purge/end-run.sql'), [
    runId,
    end.state,
    end.held,
    end.referenced,
    end.rowsLeft,
    end.error,
  ]);
}

/** Ends the rows of runs that were killed; only for the holder of the lock of purge. */
export async function closeVanishedRuns(session: DatabaseSession, log: Log): Promise<void> {
  const { rows } = await session.query<{ policy: string }>(readSqlFile('purge/close-vanished-runs.sql'));
  for (const { policy } of rows) log.warn('purge.run_vanished', { policy });
}
