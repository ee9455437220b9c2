// Medians and ratios of the purges, case by case, and the verdicts. Pure; the tables and the JSON are made of it.
import { judge, type Target } from '../backup/targets.ts';
import { ratioOf, type Spread, spreadOf } from '../statistics.ts';
import { purgeCases } from './cases.ts';
import type { PurgeFigures, PurgeRecord } from './run-record.ts';

export interface PurgeSummary {
  name: string;
  group: string;
  failures: number;
  /** Undefined when every run failed; the other medians also when their figure was never measured. */
  seconds: Spread | undefined;
  rowsPerSecond: number | undefined;
  /** Seconds to those of the naive DELETE of the same group. */
  toNaive: number | undefined;
  walBytes: number | undefined;
  /** Medians of the runs, in ms. */
  idle: { p50Ms: number | undefined; p99Ms: number | undefined };
  during: { p50Ms: number | undefined; p99Ms: number | undefined };
  /** Medians of each run's own ratio of during to idle: the machine may differ from run to run. */
  duringToIdle: { p50: number | undefined; p99: number | undefined };
  expiredP99Ms: number | undefined;
  /** The longest of all runs. */
  longestLockWaitMs: number | undefined;
  batches: number | undefined;
  /** The slowest of all runs. */
  slowestBatchMs: number | undefined;
}

/** One summary for each case that was run, in the order of purgeCases. */
export function summarizePurges(records: readonly PurgeRecord[]): PurgeSummary[] {
  const summaries = purgeCases.flatMap(({ name, group }) => {
    const runs = records.filter(({ ofCase }) => ofCase === name);
    return runs.length === 0 ? [] : [summaryOf(name, group, runs)];
  });
  return summaries.map((one) => ({
    ...one,
    toNaive: ratioOf(one.seconds?.median, summaries.find(({ name }) => name === `${one.group}-naive`)?.seconds?.median),
  }));
}

function summaryOf(name: string, group: string, runs: readonly PurgeRecord[]): PurgeSummary {
  const ended = runs.flatMap(({ figures }) => (figures === null ? [] : [figures]));
  const of = (figure: (figures: PurgeFigures) => number | null | undefined) =>
    spreadOf(ended.map(figure).filter((value) => value !== undefined && value !== null));
  return {
    name,
    group,
    failures: runs.length - ended.length,
    seconds: of(({ seconds }) => seconds),
    rowsPerSecond: of(({ rowsPerSecond }) => rowsPerSecond)?.median,
    toNaive: undefined,
    walBytes: of(({ walBytes }) => walBytes)?.median,
    idle: { p50Ms: of(({ live }) => live.idle?.p50Ms)?.median, p99Ms: of(({ live }) => live.idle?.p99Ms)?.median },
    during: {
      p50Ms: of(({ live }) => live.during?.p50Ms)?.median,
      p99Ms: of(({ live }) => live.during?.p99Ms)?.median,
    },
    duringToIdle: {
      p50: of(({ live }) => ratioOf(live.during?.p50Ms, live.idle?.p50Ms))?.median,
      p99: of(({ live }) => ratioOf(live.during?.p99Ms, live.idle?.p99Ms))?.median,
    },
    expiredP99Ms: of(({ expired }) => expired.during?.p99Ms)?.median,
    longestLockWaitMs: of(({ longestLockWaitMs }) => longestLockWaitMs)?.max,
    batches: of(({ batches }) => batches)?.median,
    slowestBatchMs: of(({ slowestBatchMs }) => slowestBatchMs)?.max,
  };
}

/** A fifth of the rows per second. */
const MOST_TO_NAIVE = 5;
/** Either is enough: twice of next to nothing is nothing that anybody feels. */
const LIVE_P99 = { toIdle: 2, ms: 10 };
const MOST_EXPIRED_P99_MS = 150;
const MOST_WITH_SNAPSHOT = 1.3;
const SHARED_P50_TO_IDLE = 1.5;

/** All targets with what was measured, of ours only. */
export function judgePurges(summaries: readonly PurgeSummary[]): Target[] {
  const find = (name: string) => summaries.find((one) => one.name === name);
  const ours = summaries.filter(({ name }) => name.endsWith('-ours'));
  const snapshot = find('snapshot-ours');
  const shared = find('shared-ours');
  return [
    ...ours
      .filter(({ group }) => group !== 'snapshot')
      .map(({ group, toNaive }) =>
        judge({
          unit: 'x',
          name: 'seconds to those of one DELETE (a fifth of its rows/s)',
          dataSet: group,
          limit: MOST_TO_NAIVE,
          measured: toNaive,
        }),
      ),
    ...ours.map(judgeLiveP99),
    ...ours.map(({ group, expiredP99Ms }) =>
      judge({
        unit: 'ms',
        name: 'p99 of updates of rows past retention',
        dataSet: group,
        limit: MOST_EXPIRED_P99_MS,
        measured: expiredP99Ms,
      }),
    ),
    ...(snapshot === undefined
      ? []
      : [
          judge({
            unit: 'x',
            name: 'seconds to those without an idle snapshot',
            dataSet: 'snapshot',
            limit: MOST_WITH_SNAPSHOT,
            measured: ratioOf(snapshot.seconds?.median, find('plain-ours')?.seconds?.median),
          }),
        ]),
    ...(shared === undefined
      ? []
      : [
          judge({
            unit: 'x',
            name: 'live p50 during to idle',
            dataSet: 'shared',
            limit: SHARED_P50_TO_IDLE,
            measured: shared.duringToIdle.p50,
          }),
        ]),
  ];
}

function judgeLiveP99({ group, during, duringToIdle }: PurgeSummary): Target {
  const name = `live p99 during: ${LIVE_P99.toIdle} x idle or ${LIVE_P99.ms} ms`;
  const inMs = judge({ unit: 'ms', name, dataSet: group, limit: LIVE_P99.ms, measured: during.p99Ms });
  return inMs.verdict === 'NOT met'
    ? judge({ unit: 'x', name, dataSet: group, limit: LIVE_P99.toIdle, measured: duringToIdle.p99 })
    : inMs;
}
