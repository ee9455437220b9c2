// The tables in the terminal. They show what summaries and targets hold, and compute nothing.
import Table from 'cli-table3';
import type { GrowthRow } from './growth.ts';
import type { CaseSummary } from './summarize.ts';
import type { Target } from './targets.ts';

/** One line per case: medians of time and processor, peaks of memory. `-` is what was not measured. */
export function summaryTable(summaries: readonly CaseSummary[]): string {
  const table = newTable(
    [
      'data set',
      'case',
      'sink',
      '+ms',
      'wall s (min-max)',
      'MB/s',
      'to psql',
      'to -Fd -j2 -Z1',
      'client CPU s',
      'server CPU s',
      'sink CPU s',
      'client MiB',
      'server MiB',
      'archive MB',
    ],
    3,
  );
  for (const one of summaries) {
    const wall = one.wallSeconds;
    const failed = one.failures === 0 ? '' : `${one.failures} FAILED `;
    table.push([
      one.dataSet,
      one.variant,
      one.sink,
      String(one.latencyMs),
      failed + (wall ? `${wall.median.toFixed(2)} (${wall.min.toFixed(2)}-${wall.max.toFixed(2)})` : '-'),
      shown(one.copyMegabytesPerSecond, 0),
      shown(one.toLimit, 2),
      shown(one.toParallelPeer, 2),
      shown(one.clientCpuSeconds, 2),
      shown(one.serverCpuSeconds, 2),
      shown(one.sinkCpuSeconds, 2),
      shown(one.clientPeakMiB, 0),
      shown(one.serverPeakMiB, 0),
      shown(one.archiveBytes === undefined ? undefined : one.archiveBytes / 1e6, 1),
    ]);
  }
  return table.toString();
}

const DIGITS = { x: 2, MiB: 0, ms: 1 } as const;

/** One line per target and data set; `about` is what the benchmark calls its data sets. */
export function targetTable(targets: readonly Target[], about = 'data set'): string {
  const table = newTable(['target', about, 'at most', 'measured', 'verdict'], 2);
  for (const { name, dataSet, limit, measured, unit, verdict } of targets) {
    const digits = DIGITS[unit];
    table.push([name, dataSet, `${limit.toFixed(digits)} ${unit}`, `${shown(measured, digits)} ${unit}`, verdict]);
  }
  return table.toString();
}

/** One line per size and case. */
export function growthTable(rows: readonly GrowthRow[]): string {
  const table = newTable(['COPY text GiB', 'case', 'wall s', 'function and its children MiB', 'function MiB'], 2);
  for (const row of rows) {
    table.push([
      (row.copyBytes / 1_073_741_824).toFixed(2),
      row.variant,
      row.wallSeconds.toFixed(1),
      row.clientPeakMiB.toFixed(0),
      row.firstProcessPeakMiB.toFixed(0),
    ]);
  }
  return table.toString();
}

/** A table without lines; the first `leftColumns` are words, the others figures. */
export function newTable(head: string[], leftColumns: number) {
  const colAligns = head.map((_, index) => (index < leftColumns ? ('left' as const) : ('right' as const)));
  return new Table({ head, colAligns, style: { compact: true, head: [], border: [] } });
}

/** `-` is what was not measured. */
export function shown(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : value.toFixed(digits);
}
