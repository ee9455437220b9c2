// What we want to reach, and whether the summaries show that we do. Pure. A target whose cases were not run
// is neither met nor not met: it is "not measured".
import { ratioOf } from '../statistics.ts';
import { DEFAULT_PEER, LIMIT, PARALLEL_PEER, type Sink } from './cases.ts';
import type { GrowthRow } from './growth.ts';
import type { CaseSummary } from './summarize.ts';

export interface Target {
  /** Unit of `limit` and `measured`: times for ratios, MiB for memory, ms for latencies. */
  unit: 'x' | 'MiB' | 'ms';
  name: string;
  dataSet: string;
  limit: number;
  measured: number | undefined;
  verdict: 'met' | 'NOT met' | 'not measured';
}

/** The data sets on which we compare; pgbench is shown, but its tiny rows have no target. */
const DATA_SETS = ['wide', 'pair'];
const GZIP = 'ours-gzip-w2';
const ZSTD = 'ours-zstd-w2';
const LATENCY_MS = 300;
const PEAK_MIB = 160;

/** All targets with what was measured; ratios are of median wall times. */
export function judgeTargets(summaries: readonly CaseSummary[], growth: readonly GrowthRow[]): Target[] {
  const find = (dataSet: string, variant: string, sink: Sink, latencyMs = 0) =>
    summaries.find(
      (one) => one.dataSet === dataSet && one.variant === variant && one.sink === sink && one.latencyMs === latencyMs,
    )?.wallSeconds?.median;
  const ratios = DATA_SETS.flatMap((dataSet) => {
    const gzip = (sink: Sink, latencyMs = 0) => find(dataSet, GZIP, sink, latencyMs);
    const against = (name: string, limit: number, value: number | undefined, base: number | undefined): Target =>
      judge({ unit: 'x', name, dataSet, limit, measured: ratioOf(value, base) });
    return [
      against(
        'gzip, 2 workers, to pg_dump -Fd -j2 -Z1, discarding',
        1,
        gzip('discard'),
        find(dataSet, PARALLEL_PEER, 'discard'),
      ),
      against(
        'gzip, 2 workers, to pg_dump -Fd -j2 -Z1, on disk',
        1.15,
        gzip('disk'),
        find(dataSet, PARALLEL_PEER, 'disk'),
      ),
      against(
        'gzip, 2 workers, to pg_dump -Fc, discarding',
        0.6,
        gzip('discard'),
        find(dataSet, DEFAULT_PEER, 'discard'),
      ),
      against('gzip, 2 workers, to pg_dump -Fc, on disk', 0.6, gzip('disk'), find(dataSet, DEFAULT_PEER, 'disk')),
      against(
        'zstd, 2 workers, to psql COPY, discarding',
        1,
        find(dataSet, ZSTD, 'discard'),
        find(dataSet, LIMIT, 'discard'),
      ),
      against(`gzip, 2 workers, ${LATENCY_MS} ms to 0 ms`, 1.1, gzip('discard', LATENCY_MS), gzip('discard')),
    ];
  });
  const peaks = [
    ...summaries.filter(({ variant }) => variant.startsWith('ours-')).map(({ clientPeakMiB }) => clientPeakMiB),
    ...growth.map(({ clientPeakMiB }) => clientPeakMiB),
  ].filter((peak) => peak !== undefined);
  const measured = peaks.length === 0 ? undefined : Math.max(...peaks);
  return [
    ...ratios,
    judge({ unit: 'MiB', name: 'peak memory of ours, all runs', dataSet: 'all', limit: PEAK_MIB, measured }),
  ];
}

/** The verdict by what was measured. */
export function judge(target: Omit<Target, 'verdict'>): Target {
  const { measured, limit } = target;
  const verdict = measured === undefined ? 'not measured' : measured <= limit ? 'met' : 'NOT met';
  return { ...target, verdict };
}
