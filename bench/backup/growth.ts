// How the memory of ours grows with the database: it should not. One run per size, on a table of that size that is
// dropped afterwards, with the discarding sink.

import type { BenchWorld } from './bench-world.ts';
import { type BenchCase, describeCase } from './cases.ts';
import { dropDataSet, makeDataSet } from './data-sets.ts';
import { runCase } from './run-cases.ts';

export interface GrowthRow {
  gibibytes: number;
  copyBytes: number;
  variant: string;
  wallSeconds: number;
  /** Of the function with its children, and of the function alone. */
  clientPeakMiB: number;
  firstProcessPeakMiB: number;
}

/** Runs the cases of ours once for each size, smallest first; a failure ends it. */
export async function measureGrowth(
  world: BenchWorld,
  sizesGiB: readonly number[],
  cases: readonly BenchCase[],
  say: (words: string) => void,
): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const gibibytes of sizesGiB.toSorted((a, b) => a - b)) {
    say(`growth: making ${gibibytes} GiB`);
    const label = `growth_${String(gibibytes).replace('.', '_')}`;
    const dataSet = await makeDataSet(world, 'wide', label, gibibytes * 1_073_741_824);
    for (const benchCase of cases) {
      const { wallSeconds, usage } = await runCase(world, dataSet, benchCase, false);
      const { peakMiB, firstProcessPeakMiB } = usage.client;
      const { copyBytes } = dataSet;
      rows.push({
        gibibytes,
        copyBytes,
        variant: benchCase.variant.name,
        wallSeconds,
        clientPeakMiB: peakMiB,
        firstProcessPeakMiB,
      });
      say(
        `growth: ${gibibytes} GiB ${describeCase(benchCase)}: ${wallSeconds.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB`,
      );
    }
    await dropDataSet(world, dataSet);
  }
  return rows;
}
