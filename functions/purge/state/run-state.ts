// The rows of nightshift.purge_run: where a run stands, where the next one goes on, and how each ended.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Log } from '../../shared/log.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { StoredCursor } from '../batch/cursor.ts';
import type { PolicyResult } from '../contract.ts';

export interface RunSubject {
  /** The policy, or `erasure:<reference>`. */
  readonly name: string;
  readonly version: number;
  readonly action: PolicyResult['action'];
  readonly schema: string;
  readonly table: string;
  /** Null for an erasure. */
  readonly cutoff: string | null;
  /** Of an erasure: what its request is filed under. */
  readonly reference: string | null;
}

export interface RunRequest {
  readonly requestId: string;
  readonly requestedBy: string | undefined;
  readonly executionId: string | undefined;
}

export interface LastRun extends StoredCursor {
  readonly runId: string;
  readonly series: string;
  readonly state: 'running' | 'finished' | 'stopped' | 'failed';
  readonly executionId: string | null;
  readonly batchRows: number | null;
}

interface LastRunRow {
  purge_run_id: string;
  series_id: string;
  state: LastRun['state'];
  execution_id: string | null;
  schema_name: string;
  table_name: string;
  batch_rows: number | null;
  cursor_timestamp: string | null;
  cursor_key: string | null;
}

/** The newest run of the same policy on the same table. */
export async function readLastRun(session: DatabaseSession, subject: RunSubject): Promise<LastRun | undefined> {
  const { rows } = await session.query<LastRunRow & Record<string, unknown>>(readSqlFile('purge/last-run.sql'), [
    subject.name,
    subject.action,
    subject.cutoff,
  ]);
  const [row] = rows;
  if (row === undefined || row.schema_name !== subject.schema || row.table_name !== subject.table) return undefined;
  return {
    runId: row.purge_run_id,
    series: row.series_id,
    state: row.state,
    executionId: row.execution_id,
    batchRows: row.batch_rows,
    timestamp: row.cursor_timestamp,
    key: row.cursor_key,
  };
}

export interface StartedRun {
  readonly runId: string;
  readonly series: string;
}

/** Opens a run; it goes on with the series and at the cursor of the last one when that did not finish. */
export async function startRun(
  session: DatabaseSession,
  subject: RunSubject,
  request: RunRequest,
  last: LastRun | undefined,
): Promise<StartedRun> {
  const goesOn = last !== undefined && last.state !== 'finished' ? last : undefined;
  const { rows } = await session.query<{ purge_run_id: string; series_id: string }>(
    readSqlFile('purge/start-run.sql'),
    [
      subject.name,
      request.requestId,
      request.requestedBy ?? null,
      subject.action,
      subject.schema,
      subject.table,
      subject.cutoff,
      goesOn?.timestamp ?? null,
      goesOn?.key ?? null,
      goesOn?.series ?? null,
      subject.version,
      request.executionId ?? null,
      subject.reference,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new RangeError('the server answered without the number of the run');
  return { runId: row.purge_run_id, series: row.series_id };
}

interface RunEnd {
  readonly state: 'finished' | 'stopped' | 'failed';
  readonly held: number;
  readonly referenced: number;
  readonly rowsLeft: number | null;
  readonly oldest: string | null;
  readonly error: string | null;
}

/** Ends a run that is still open. */
export async function endRun(session: DatabaseSession, runId: string, end: RunEnd): Promise<void> {
  const { rowCount } = await session.query(readSqlFile('purge/end-run.sql'), [
    runId,
    end.state,
    end.held,
    end.referenced,
    end.rowsLeft,
    end.error,
    end.oldest,
  ]);
  requireRecord(runId, rowCount);
}

/** Throws `purge.refused` when the record of a run is no longer one that is open: somebody has changed or removed it. */
export function requireRecord(runId: string, rowCount: number): void {
  if (rowCount === 1) return;
  throw new JobFailure({
    code: 'purge.refused',
    problem: `the record ${runId} in nightshift.purge_run is not open any more, so what this run does would be counted nowhere`,
    safeState: 'The current batch was rolled back; batches before it stay done',
    hint: 'find out who has changed nightshift.purge_run; the next run opens a record of its own',
  });
}

/** Ends the rows of runs that were killed; only for the holder of the lock of purge. */
export async function closeVanishedRuns(session: DatabaseSession, log: Log): Promise<void> {
  const { rows } = await session.query<{ policy: string }>(readSqlFile('purge/close-vanished-runs.sql'));
  for (const { policy } of rows) log.warn('purge.run_vanished', { policy });
}

export interface SeriesRun {
  readonly purge_run_id: string;
  readonly request_id: string;
  readonly requested_by: string | null;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly state: LastRun['state'];
  readonly cutoff: string | null;
  readonly batches: number;
  readonly rows_done: number;
  readonly rows_held: number;
  readonly rows_referenced: number;
  readonly rows_left: number | null;
  readonly rows_by_table: Readonly<Record<string, { deleted: number; changed: number }>>;
  readonly certificate_key: string | null;
  readonly database_role: string;
}

/** The runs of a series in order. */
export async function readSeries(session: DatabaseSession, series: string): Promise<SeriesRun[]> {
  return (await session.query<SeriesRun & Record<string, unknown>>(readSqlFile('purge/series.sql'), [series])).rows;
}

/** What all runs of a series have done together. */
export function seriesTotals(runs: readonly SeriesRun[]): Pick<PolicyResult, 'rowsDone' | 'children' | 'batches'> {
  const children = new Map<string, { deleted: number; changed: number }>();
  for (const run of runs) {
    for (const [table, { deleted, changed }] of Object.entries(run.rows_by_table)) {
      const before = children.get(table) ?? { deleted: 0, changed: 0 };
      children.set(table, { deleted: before.deleted + deleted, changed: before.changed + changed });
    }
  }
  return {
    rowsDone: runs.reduce((sum, run) => sum + run.rows_done, 0),
    batches: runs.reduce((sum, run) => sum + run.batches, 0),
    children: [...children]
      .map(([table, counts]) => ({ table, ...counts }))
      .toSorted((one, other) => one.table.localeCompare(other.table)),
  };
}
