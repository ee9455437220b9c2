// The table of the purges in the terminal. It shows what the summaries hold, and computes nothing.
import { newTable, shown } from '../backup/tables.ts';
import type { PurgeSummary } from './summarize-purges.ts';

/** One line per case. `-` is what was not measured. */
export function purgeTable(summaries: readonly PurgeSummary[]): string {
  const table = newTable(
    [
      'case',
      'seconds (min-max)',
      'rows/s',
      'to naive',
      'WAL MB',
      'live p50 ms',
      'live p99 ms',
      'p99 ratio',
      'expired p99 ms',
      'longest lock wait ms',
      'batches',
      'slowest batch ms',
    ],
    1,
  );
  for (const one of summaries) {
    const { seconds, idle, during } = one;
    const failed = one.failures === 0 ? '' : `${one.failures} FAILED `;
    table.push([
      one.name,
      failed + (seconds ? `${seconds.median.toFixed(2)} (${seconds.min.toFixed(2)}-${seconds.max.toFixed(2)})` : '-'),
      shown(one.rowsPerSecond, 0),
      shown(one.toNaive, 2),
      shown(one.walBytes === undefined ? undefined : one.walBytes / 1e6, 0),
      `${shown(idle.p50Ms, 1)} > ${shown(during.p50Ms, 1)}`,
      `${shown(idle.p99Ms, 1)} > ${shown(during.p99Ms, 1)}`,
      shown(one.duringToIdle.p99, 2),
      shown(one.expiredP99Ms, 1),
      shown(one.longestLockWaitMs, 0),
      shown(one.batches, 0),
      shown(one.slowestBatchMs, 0),
    ]);
  }
  return table.toString();
}
