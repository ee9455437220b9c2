// Carries out one piece of work on rows, from the opening of its run to the last count; the run is closed however it ends.
import { describeError } from '../../shared/job-failure.ts';
import { archiveRows } from '../archive/archive-rows.ts';
import { nextObjectNumber } from '../archive/next-object-number.ts';
import { readArchiveColumns, returningList } from '../archive/read-archive-columns.ts';
import type { PolicyResult } from '../contract.ts';
import { explainFailure } from '../explain-failure.ts';
import { holdsReader } from '../keep/holds-in-play.ts';
import { nodesOf } from '../links/family.ts';
import type { PreparedRows } from '../policy/prepare-rows.ts';
import { readPressure } from '../pressure/read-pressure.ts';
import type { PurgeContext } from '../purge-context.ts';
import { endRun, type LastRun, type RunSubject, type StartedRun, startRun } from '../state/run-state.ts';
import { type BatchSize, createBatchSize } from './batch-size.ts';
import { readCursor } from './cursor.ts';
import type { RowWork } from './row-work.ts';
import { type RowsOutcome, type RowsProgress, runRows } from './run-rows.ts';
import { deleteReturningStatement } from './statements.ts';

export interface CarriedOut extends StartedRun {
  readonly outcome: RowsOutcome;
  readonly progress: RowsProgress;
  readonly skipped: PolicyResult['skipped'];
}

interface Wanted {
  readonly subject: RunSubject;
  /** In this order; of an erasure several. */
  readonly works: readonly PreparedRows[];
  readonly last: LastRun | undefined;
  /** The most rows of a batch, where the policy says so. */
  readonly mostRows: number | undefined;
  readonly archives: boolean;
}

/** Throws the explained failure; the batches before it stay done and counted. */
export async function carryOut(context: PurgeContext, wanted: Wanted): Promise<CarriedOut> {
  const { session, log, settings } = context;
  const { subject, last } = wanted;
  const started = await startRun(session, subject, context.request, last);
  const progress: RowsProgress = {
    done: 0,
    removed: 0,
    children: new Map(),
    batches: 0,
    slowestBatchMs: 0,
    referenced: 0,
    held: 0,
  };
  try {
    const archive = wanted.archives ? await archiver(context, subject.name, started.series) : undefined;
    const start = last?.state === 'finished' ? settings.batchRows : (last?.batchRows ?? settings.batchRows);
    const size = createBatchSize({ start, most: wanted.mostRows, targetMs: settings.targetBatchMs });
    const ends = await runAll(context, { ...wanted, started, archive, size, progress });
    const outcome = joinOutcomes(ends.map((end) => end.outcome));
    const skipped = {
      held: sum(ends.map((end) => end.skipped.held)),
      referenced: sum(ends.map((end) => end.skipped.referenced)),
      other: sum(ends.map((end) => end.skipped.other)),
    };
    await endRun(session, started.runId, {
      state: outcome.state === 'finished' ? 'finished' : 'stopped',
      held: skipped.held,
      referenced: skipped.referenced,
      rowsLeft: outcome.left?.rows ?? null,
      oldest: outcome.left?.oldest ?? null,
      error: null,
    });
    return { ...started, outcome, progress, skipped };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const failure = explainFailure(subject.name, progress.done, error);
    // A session that is gone cannot write this: the next run closes the row then.
    await endRun(session, started.runId, {
      state: 'failed',
      held: 0,
      referenced: 0,
      rowsLeft: null,
      oldest: null,
      error: failure.problem,
    }).catch((cause: unknown) => log.warn('purge.run_not_closed', { problem: describeError(cause) }));
    throw failure;
  }
}

interface Running extends Wanted {
  readonly started: StartedRun;
  readonly archive: RowWork['archive'];
  readonly size: BatchSize;
  readonly progress: RowsProgress;
}

interface WorkEnd {
  readonly outcome: RowsOutcome;
  readonly skipped: PolicyResult['skipped'];
}

/** Several works are gone through again until a round removes nothing: a trigger may have written rows into one that was done. */
async function runAll(context: PurgeContext, running: Running): Promise<WorkEnd[]> {
  const { works, progress } = running;
  for (;;) {
    const before = progress.removed;
    const ends: WorkEnd[] = [];
    for (const prepared of works) {
      const end = await runOne(context, running, prepared);
      ends.push(end);
      if (end.outcome.state !== 'finished') return ends;
    }
    if (works.length === 1 || progress.removed === before) return ends;
  }
}

async function runOne(context: PurgeContext, running: Running, prepared: PreparedRows): Promise<WorkEnd> {
  const { session, clock, log, signal, settings } = context;
  const { subject, last, started, size, progress } = running;
  const work: RowWork = { ...prepared.work, archive: running.archive };
  const family = nodesOf(work.family.top).flatMap(({ oid }) => prepared.known.tables.get(oid) ?? []);
  const tableOids = [work.table, ...family].flatMap(({ table_oid: oid, descendants }) => [oid, ...(descendants ?? [])]);
  const readHolds = holdsReader(context.graph, work.family, prepared.known);
  const outcome = await runRows(
    {
      session,
      clock,
      log,
      signal,
      runId: started.runId,
      from: last === undefined || last.state === 'finished' ? undefined : readCursor(work, last),
      size,
      readHolds,
      readPressure: async () =>
        await readPressure(session, { tableOids: tableOids.map(Number), limits: settings.pressure }),
      countTimeoutMs: () => Math.min(settings.statementTimeoutMs, context.timeLeftMs()),
      onBatch: ({ ms }) =>
        context.onProgress?.({
          policy: subject.name,
          table: work.table.label,
          rows: progress.removed,
          batchRows: size.rows,
          batchMs: ms,
        }),
    },
    work,
    progress,
  );
  const { left } = outcome;
  if (left === undefined) return { outcome, skipped: { held: 0, referenced: 0, other: 0 } };
  // The count does not see what only the rows themselves could show.
  const free = left.rows - left.held - left.referenced;
  const held = Math.min(progress.held, free);
  const referenced = Math.min(progress.referenced, free - held);
  return {
    outcome,
    skipped: { held: left.held + held, referenced: left.referenced + referenced, other: free - held - referenced },
  };
}

/** The end of the last one decides; what is left is counted together. */
function joinOutcomes(outcomes: readonly RowsOutcome[]): RowsOutcome {
  const last = outcomes.at(-1);
  if (last === undefined) throw new RangeError('there was no work');
  const left = outcomes.map((outcome) => outcome.left);
  const warnings = [...new Set(outcomes.flatMap((outcome) => outcome.warnings))];
  if (last.left === undefined || left.length === 1) return { ...last, warnings };
  return {
    ...last,
    warnings,
    left: {
      rows: sum(left.map((one) => one?.rows ?? 0)),
      held: sum(left.map((one) => one?.held ?? 0)),
      referenced: sum(left.map((one) => one?.referenced ?? 0)),
      oldest: null,
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** Keeps rows in the archive of the series in the statement that removes them. */
async function archiver(
  context: PurgeContext,
  policy: string,
  seriesId: string,
): Promise<NonNullable<RowWork['archive']>> {
  const { session, store, clock, signal, database } = context;
  const series = { database, policy, seriesId };
  return async (facts, set) => {
    const table = { schema: facts.schema_name, name: facts.table_name };
    const columns = await readArchiveColumns(session, table);
    const archived = await archiveRows(session, {
      series,
      table,
      number: await nextObjectNumber(session, seriesId, table),
      columns,
      statement: deleteReturningStatement(facts, set, returningList(columns, 't')),
      store,
      clock,
      signal,
    });
    return archived?.rows ?? 0;
  };
}
