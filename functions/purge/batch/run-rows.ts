// Batch after batch until nothing is left that may go: past locked rows, a count, sweeps from the start that wait, and the
// count that proves the end. Always stops between two batches.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import type { JobContext } from '../../shared/job-handler.ts';
import { LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlState } from '../../shared/postgres-errors.ts';
import { inTransaction } from '../in-transaction.ts';
import type { HoldsInPlay } from '../keep/held-condition.ts';
import type { PressureReading } from '../pressure/read-pressure.ts';
import type { BatchSize } from './batch-size.ts';
import type { RemovedRows } from './remove-rows.ts';
import type { Position, RowWork } from './row-work.ts';
import { type BatchOutcome, type BatchRequest, runBatch, totals } from './run-batch.ts';
import { countStatement } from './statements.ts';

/** A pause or a stop is heard this late; one question costs about as much as a small batch. */
const PRESSURE_EVERY_MS = 1_000;
const WAITERS_EVERY_MS = 250;
/** Of a sweep that waits for locks: what it has locked while it waits must be little. */
const WAITING_ROWS = 1_000;
/** After which a lock that somebody holds is worth another try. */
const LOCK_PAUSE_SECONDS = 30;
/** Whoever has said stop lifts it by hand: no pass need ask for it sooner. */
export const STOP_PAUSE_SECONDS = 300;
/** Batches that lock first once one has met a lock: where the application works on old rows, waiting for them costs more. */
const LOCKS_FIRST_AFTERWARDS = 20;
/** Sessions that waited for a batch run first. */
const YIELD_MS = 50;

export interface RowCounts {
  /** All rows in scope, held ones included. */
  readonly rows: number;
  readonly held: number;
  readonly referenced: number;
  readonly oldest: string | null;
}

export interface RowsRun extends Pick<JobContext, 'clock' | 'log' | 'signal'> {
  readonly session: DatabaseSession;
  readonly runId: string;
  readonly from: Position | undefined;
  readonly size: BatchSize;
  readonly readHolds: (session: DatabaseSession) => Promise<HoldsInPlay>;
  readPressure(): Promise<PressureReading>;
  /** How long a count may take now, in milliseconds. */
  readonly countTimeoutMs: () => number;
  /** Told after each committed batch. */
  onBatch?(done: { rows: number; ms: number }): void;
}

export interface RowsProgress {
  done: number;
  /** Of the table that is worked on, however they are counted. */
  removed: number;
  children: RemovedRows['children'];
  batches: number;
  slowestBatchMs: number;
  /** Of the newest pass: rows that stayed because another one of their table references them. */
  referenced: number;
  /** Of the newest pass: rows that stayed because a hold is on one that would go with them. */
  held: number;
}

export interface RowsOutcome {
  readonly state: 'finished' | 'stopped' | 'paused';
  readonly pause: { readonly reason: string; readonly seconds: number } | undefined;
  /** Undefined when it did not get to the end. */
  readonly left: RowCounts | undefined;
  readonly warnings: readonly string[];
}

/** Thrown between two batches by whatever keeps the next one from beginning. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly outcome: Pick<RowsOutcome, 'state' | 'pause'>;

  constructor(outcome: Interrupted['outcome']) {
    super('interrupted between two batches');
    this.outcome = outcome;
  }
}

/** `progress` is filled as the work goes on, so that a failure can say what was done. */
export async function runRows(run: RowsRun, work: RowWork, progress: RowsProgress): Promise<RowsOutcome> {
  const warnings = new Set<string>();
  try {
    await runPass(run, work, { after: run.from, waits: false }, progress, warnings);
    let left = await countLeft(run, work);
    // Locked rows were passed over, and a resumed run did not begin at the oldest row: only a count proves the end. Rows that
    // reference each other become free one after the other.
    for (let before = -1; left.rows > left.held + left.referenced && before !== progress.removed; ) {
      before = progress.removed;
      await runPass(run, work, { after: undefined, waits: true }, progress, warnings);
      left = await countLeft(run, work);
    }
    return { state: 'finished', pause: undefined, left, warnings: [...warnings] };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return { ...error.outcome, left: undefined, warnings: [...warnings] };
  }
}

/** The counts at one moment, in a transaction that can write nothing. */
export async function countRows(
  session: DatabaseSession,
  work: RowWork,
  { readHolds, countTimeoutMs }: Pick<RowsRun, 'readHolds' | 'countTimeoutMs'>,
): Promise<RowCounts> {
  return await inTransaction(session, 'begin isolation level repeatable read read only', async () => {
    const { sql, values } = countStatement(work, await readHolds(session));
    await session.query(`set local statement_timeout = ${Math.trunc(countTimeoutMs())}`);
    const { rows } = await session.query<RowCounts & Record<string, unknown>>(sql, values);
    const [row] = rows;
    if (row === undefined) throw new RangeError('the server answered a count without a row');
    return { rows: row.rows, held: row.held, referenced: row.referenced, oldest: row.oldest };
  });
}

async function countLeft(run: RowsRun, work: RowWork): Promise<RowCounts> {
  interruptWhenAborted(run);
  return await countRows(run.session, work, run);
}

function interruptWhenAborted({ signal }: RowsRun): void {
  if (signal.aborted) throw new Interrupted({ state: 'stopped', pause: undefined });
}

async function runPass(
  run: RowsRun,
  work: RowWork,
  from: { after: Position | undefined; waits: boolean },
  progress: RowsProgress,
  warnings: Set<string>,
): Promise<void> {
  const { clock } = run;
  progress.referenced = 0;
  progress.held = 0;
  let { after } = from;
  let askedAt = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Counts down after a batch has met a lock. */
  let locksFirst = 0;
  for (;;) {
    interruptWhenAborted(run);
    if (clock.monotonicMs() - askedAt > PRESSURE_EVERY_MS) {
      interruptOnPressure(await run.readPressure(), warnings);
      askedAt = clock.monotonicMs();
    }
    const startedMs = clock.monotonicMs();
    const looksForWaiters = startedMs - lookedAt > WAITERS_EVERY_MS;
    if (looksForWaiters) lookedAt = startedMs;
    const limit = from.waits ? Math.min(run.size.rows, WAITING_ROWS) : run.size.rows;
    const request = { after, waits: from.waits, limit, looksForWaiters, locksFirst: locksFirst > 0 };
    const batch = await batchOrShorter(run, work, request, progress);
    if (batch === 'shorter') continue;
    if (batch === undefined) return;
    const ms = clock.monotonicMs() - startedMs;
    after = batch.position;
    locksFirst = batch.metLock ? LOCKS_FIRST_AFTERWARDS : Math.max(0, locksFirst - 1);
    progress.done += batch.done;
    progress.removed += batch.removed;
    progress.children = totals(progress.children, batch.children);
    progress.referenced += batch.referenced;
    progress.held += batch.held;
    progress.batches += 1;
    progress.slowestBatchMs = Math.max(progress.slowestBatchMs, Math.round(ms));
    run.size.after({ ms, rows: batch.chosen, waiters: batch.waiters });
    run.onBatch?.({ rows: batch.removed, ms });
    run.log.info('purge.batch_done', {
      run: run.runId,
      rows: batch.removed,
      referenced: batch.referenced,
      waiters: batch.waiters,
      duration_ms: Math.round(ms),
    });
    if (batch.waiters > 0) await new Promise((resolve) => setTimeout(resolve, YIELD_MS));
  }
}

function interruptOnPressure({ pressure, warnings: more }: PressureReading, warnings: Set<string>): void {
  for (const warning of more) warnings.add(warning);
  if (pressure.state === 'pause') {
    throw new Interrupted({ state: 'paused', pause: { reason: pressure.reason, seconds: pressure.seconds } });
  }
  if (pressure.state === 'stop') {
    throw new Interrupted({ state: 'stopped', pause: { reason: pressure.reason, seconds: STOP_PAUSE_SECONDS } });
  }
}

/** A batch; `shorter` when the server cancelled it for its length and the next one will be half as large. */
async function batchOrShorter(
  run: RowsRun,
  work: RowWork,
  request: Pick<BatchRequest, 'after' | 'waits' | 'limit' | 'looksForWaiters' | 'locksFirst'>,
  progress: RowsProgress,
): Promise<BatchOutcome | 'shorter' | undefined> {
  try {
    return await runBatch(run.session, work, {
      ...request,
      runId: run.runId,
      children: progress.children,
      readHolds: async () => await run.readHolds(run.session),
    });
  } catch (error) {
    const state = sqlState(error);
    if (state === QUERY_CANCELED && !run.signal.aborted && run.size.halve()) {
      run.log.warn('purge.batch_too_long', { run: run.runId, rows: request.limit });
      return 'shorter';
    }
    if (state !== LOCK_NOT_AVAILABLE) throw error;
    const reason = `a lock was not free in time, as while somebody places a legal hold or alters the table: ${describeError(error)}`;
    throw new Interrupted({ state: 'paused', pause: { reason, seconds: LOCK_PAUSE_SECONDS } });
  }
}
