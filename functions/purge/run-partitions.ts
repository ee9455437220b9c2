// One policy whose action is drop_partition, from its run to its certificate; and its plan.
import { describeError } from '../shared/job-failure.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import { archiveTable } from './archive/archive-table.ts';
import { STOP_PAUSE_SECONDS } from './batch/run-rows.ts';
import { certifySeries } from './certificate/certify-series.ts';
import type { PartitionResult, PolicyResult } from './contract.ts';
import { explainFailure } from './explain-failure.ts';
import { readHolds } from './keep/read-holds.ts';
import { rowsOf } from './partitions/count-kept.ts';
import { dropPartitions } from './partitions/drop-partitions.ts';
import type { DropDependencies, DropPartitionsResult } from './partitions/partition-work.ts';
import type { RetentionPolicy } from './policy/read-policies.ts';
import { readPressure } from './pressure/read-pressure.ts';
import type { PurgeContext } from './purge-context.ts';
import { certifyLate, emptyResult, type Piece } from './run-policy.ts';
import { endRun, readLastRun, readSeries, seriesTotals, startRun } from './state/run-state.ts';

/** What would be dropped, with what would keep some of it. */
export async function planPartitions(context: PurgeContext, { subject, policy }: Piece): Promise<PolicyResult> {
  const startedMs = context.clock.monotonicMs();
  await readHolds(context.session);
  const planned = await dropPartitions(dependencies(context, policy, { dryRun: true, series: '0' }));
  const { partitions, warnings } = planned;
  const rows = rowsOf(partitions);
  return {
    ...emptyResult(subject),
    partitions,
    warnings,
    skipped: { held: heldRowsOf(planned), referenced: 0, other: 0 },
    rowsLeft: rows,
    plan: {
      rows,
      bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0),
      undated: 0,
      children: [],
      estimatedBatches: partitions.filter(({ state }) => state === 'planned').length,
      // A drop takes no longer for more rows.
      estimatedSeconds: null,
      estimatedWalBytes: 0,
      reads: 'whole partitions, of which none is read',
    },
    durationMs: Math.round(context.clock.monotonicMs() - startedMs),
  };
}

/** Drops what is past retention, until the signal is aborted or something is in the way. */
export async function runPartitions(
  context: PurgeContext,
  { subject, policy }: Piece,
): Promise<{ result: PolicyResult; removed: number }> {
  const { session, clock, log } = context;
  const startedMs = clock.monotonicMs();
  const last = await readLastRun(session, subject);
  const warnings = new Set<string>();
  if (last?.state === 'finished') await certifyLate(context, subject, last.series, warnings);
  const { runId, series } = await startRun(session, subject, context.request, last);
  try {
    // Refuses where a hold names a table that is not there, as a policy of rows does.
    await readHolds(session);
    const { pressure } = await readPressure(session, { tableOids: [], limits: context.settings.pressure });
    const dropped: DropPartitionsResult =
      pressure.state === 'stop'
        ? { partitions: [], held: [], warnings: [], pause: { reason: pressure.reason, seconds: STOP_PAUSE_SECONDS } }
        : await dropPartitions(dependencies(context, policy, { dryRun: false, series }));
    for (const warning of dropped.warnings) warnings.add(warning);
    const isOver = dropped.pause === undefined && !context.signal.aborted;
    const left = isOver ? rowsOf(dropped.partitions.filter(({ state }) => state !== 'dropped')) : null;
    const held = isOver ? heldRowsOf(dropped) : 0;
    const { rows } = await session.query<{ rows_done: number }>(readSqlFile('purge/record-partitions.sql'), [
      runId,
      series,
    ]);
    await endRun(session, runId, {
      state: isOver ? 'finished' : 'stopped',
      held,
      referenced: 0,
      rowsLeft: left,
      oldest: null,
      error: null,
    });
    const partitions = isOver ? await readSeriesPartitions(context, series, dropped.partitions) : dropped.partitions;
    const certified = isOver ? await certifySeries(context, subject, series, partitions) : undefined;
    for (const warning of certified?.warnings ?? []) warnings.add(warning);
    if (certified?.notSigned !== undefined) throw certified.notSigned;
    return {
      removed: rows[0]?.rows_done ?? 0,
      result: {
        ...emptyResult(subject),
        ...seriesTotals(await readSeries(session, series)),
        state: isOver ? 'finished' : dropped.pause === undefined || pressure.state === 'stop' ? 'stopped' : 'paused',
        pause: dropped.pause ?? null,
        series,
        skipped: { held, referenced: 0, other: (left ?? 0) - held },
        rowsLeft: left,
        archive: certified?.archive ?? null,
        partitions,
        warnings: [...warnings],
        certificateKey: certified?.certificateKey ?? null,
        durationMs: Math.round(clock.monotonicMs() - startedMs),
      },
    };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const failure = explainFailure(subject.name, 0, error);
    await endRun(session, runId, {
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

function dependencies(
  context: PurgeContext,
  policy: RetentionPolicy | undefined,
  { dryRun, series }: { dryRun: boolean; series: string },
): DropDependencies {
  if (policy === undefined) throw new RangeError('an erasure drops no partition');
  const place = { database: context.database, policy: policy.name, seriesId: series };
  return {
    database: context.connection,
    session: context.session,
    policy,
    cutoff: policy.cutoff,
    seriesId: series,
    dryRun,
    signal: context.signal,
    log: context.log,
    clock: context.clock,
    archive: async (session, { schema, table }) => await archiveTable(context, session, place, { schema, name: table }),
  };
}

/** All of the series, those of runs before this one included; why one is kept is known to this run only. */
async function readSeriesPartitions(
  { session }: PurgeContext,
  series: string,
  now: readonly PartitionResult[],
): Promise<PartitionResult[]> {
  const { rows } = await session.query<Omit<PartitionResult, 'reason'> & Record<string, unknown>>(
    readSqlFile('purge/series-partitions.sql'),
    [series],
  );
  const recorded = rows.map(({ table, bounds, bytes, rows: count, state }) => {
    const reason = now.find((one) => one.table === table && one.bounds === bounds)?.reason ?? null;
    return { table, bounds, bytes, rows: count, state, reason };
  });
  const isRecorded = (one: PartitionResult) =>
    recorded.some(({ table, bounds }) => table === one.table && bounds === one.bounds);
  return [...recorded, ...now.filter((one) => !isRecorded(one))];
}

/** Rows of the partitions that a legal hold keeps. */
function heldRowsOf({ partitions, held }: Pick<DropPartitionsResult, 'partitions' | 'held'>): number {
  return rowsOf(partitions.filter(({ table }) => held.includes(table)));
}
