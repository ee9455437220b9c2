// Carries out one policy: batches past locked rows, a count, a sweep from the start that waits, the count that proves it.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { PolicyResult } from './contract.ts';
import { countRows, type RowCounts } from './count-rows.ts';
import { explainFailure } from './explain-failure.ts';
import type { PreparedPolicy } from './prepare-policy.ts';
import { type Cursor, type PolicyWork, runBatch } from './run-batch.ts';
import { endRun, startRun } from './run-state.ts';

export interface PolicyDependencies extends Pick<JobContext, 'clock' | 'log' | 'signal'> {
  session: DatabaseSession;
  requestId: string;
  requestedBy: string | undefined;
  batchRows: number;
}

interface Progress {
  deleted: number;
  referenced: number;
  batches: number;
  stopped: boolean;
}

/** Deletes until nothing is left that may go, or until the signal is aborted, always between two batches. */
export async function runPolicy(deps: PolicyDependencies, prepared: PreparedPolicy): Promise<PolicyResult> {
  const startedMs = deps.clock.monotonicMs();
  const { runId, cursor } = await startRun(deps.session, prepared, deps);
  const work: PolicyWork = { ...prepared, batchRows: prepared.policy.batch_rows ?? deps.batchRows, runId };
  const passes: Progress[] = [];
  try {
    const outcome = await carryOut(deps, work, cursor, passes);
    return {
      policy: prepared.policy.name,
      table: `${prepared.policy.schema_name}.${prepared.policy.table_name}`,
      cutoff: prepared.cutoff,
      ...outcome,
      rowsPastRetention: null,
      estimatedBatches: null,
      durationMs: Math.round(deps.clock.monotonicMs() - startedMs),
    };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const failure = explainFailure(prepared.policy.name, sumDeleted(passes), error);
    // A session that is gone cannot write this: the next run closes the row then.
    await endRun(deps.session, runId, {
      state: 'failed',
      held: 0,
      referenced: 0,
      rowsLeft: null,
      error: failure.problem,
    }).catch((cause: unknown) => deps.log.warn('purge.run_not_closed', { problem: describeError(cause) }));
    throw failure;
  }
}

type Outcome = Pick<PolicyResult, 'state' | 'rowsDeleted' | 'skipped' | 'rowsLeft' | 'oldest' | 'batches'>;

/** `passes` is filled as the work goes on, so that a failure can say what was done. */
async function carryOut(
  deps: PolicyDependencies,
  work: PolicyWork,
  cursor: Cursor | undefined,
  passes: Progress[],
): Promise<Outcome> {
  await runPass(deps, work, { cursor, waits: false }, passes);
  let left = await countUnlessStopped(deps, work, passes);
  // Locked rows were passed over, and a resumed run did not begin at the oldest row: only a count proves the end.
  if (left !== undefined && left.rows > left.held) {
    await runPass(deps, work, { cursor: undefined, waits: true }, passes);
    left = await countUnlessStopped(deps, work, passes);
  }
  const held = left?.held ?? 0;
  const free = (left?.rows ?? 0) - held;
  const referenced = Math.min(passes.at(-1)?.referenced ?? 0, free);
  const state = left === undefined ? 'stopped' : 'finished';
  const rowsLeft = left?.rows ?? null;
  await endRun(deps.session, work.runId, { state, held, referenced, rowsLeft, error: null });
  return {
    state,
    rowsDeleted: sumDeleted(passes),
    skipped: { held, referenced, other: free - referenced },
    rowsLeft,
    oldest: left?.oldest ?? null,
    batches: passes.reduce((sum, pass) => sum + pass.batches, 0),
  };
}

async function countUnlessStopped(
  deps: PolicyDependencies,
  work: PolicyWork,
  passes: readonly Progress[],
): Promise<RowCounts | undefined> {
  return passes.some(({ stopped }) => stopped) ? undefined : await countRows(deps.session, work);
}

async function runPass(
  deps: PolicyDependencies,
  work: PolicyWork,
  from: { cursor: Cursor | undefined; waits: boolean },
  passes: Progress[],
): Promise<void> {
  const progress: Progress = { deleted: 0, referenced: 0, batches: 0, stopped: false };
  passes.push(progress);
  let { cursor } = from;
  for (;;) {
    progress.stopped = deps.signal.aborted;
    if (progress.stopped) return;
    const startedMs = deps.clock.monotonicMs();
    const batch = await runBatch(deps.session, work, { cursor, waits: from.waits });
    if (batch === undefined) return;
    cursor = batch.cursor;
    progress.deleted += batch.deleted;
    progress.referenced += batch.referenced;
    progress.batches += 1;
    deps.log.info('purge.batch_deleted', {
      run: work.runId,
      rows: batch.deleted,
      referenced: batch.referenced,
      duration_ms: Math.round(deps.clock.monotonicMs() - startedMs),
    });
  }
}

function sumDeleted(passes: readonly Progress[]): number {
  return passes.reduce((sum, pass) => sum + pass.deleted, 0);
}
