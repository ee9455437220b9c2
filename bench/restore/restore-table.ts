// The table of the restores in the terminal. It shows what the summaries hold, and computes nothing.
import { newTable, shown } from '../backup/tables.ts';
import type { RestoreSummary } from './summarize-restores.ts';

/** One line per line of each data set: medians of time and processor, peaks of memory. */
export function restoreTable(summaries: readonly RestoreSummary[]): string {
  const table = newTable(
    [
      'data set',
      'what',
      'wall s (min-max)',
      'MB/s',
      'to files',
      'to download',
      'client CPU s',
      'server CPU s',
      'S3 CPU s',
      'client MiB',
      'first process MiB',
    ],
    2,
  );
  for (const one of summaries) {
    const wall = one.wallSeconds;
    const failed = one.failures === 0 ? '' : `${one.failures} FAILED `;
    table.push([
      one.dataSet,
      one.row,
      failed + (wall ? `${wall.median.toFixed(2)} (${wall.min.toFixed(2)}-${wall.max.toFixed(2)})` : '-'),
      shown(one.copyMegabytesPerSecond, 0),
      shown(one.toFilesPeer, 2),
      shown(one.toDownloadPeer, 2),
      shown(one.clientCpuSeconds, 2),
      shown(one.serverCpuSeconds, 2),
      shown(one.storeCpuSeconds, 2),
      shown(one.clientPeakMiB, 0),
      shown(one.firstProcessPeakMiB, 0),
    ]);
  }
  return table.toString();
}
