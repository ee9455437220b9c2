// One line that says how far a restore is: a bar, how long it will take, what is built and being built. Pure.
import { describeBytes, describeDuration } from '../../functions/shared/describe-amounts.ts';
import type { RestoreProgress } from '../../functions/shared/restore/restore-progress.ts';

const BAR_CELLS = 16;
/** Before that a speed is a guess. */
const LEAST_SECONDS = 2;

/**
 * The line, at most `width` characters: what matters least is left out first.
 *
 * `startBytes` were there when this run began, `elapsedMs` is since then.
 */
export function progressLine(
  progress: RestoreProgress,
  { startBytes, elapsedMs, width }: { startBytes: number; elapsedMs: number; width: number },
): string {
  const { stage, bytes, totalBytes, tables, totalTables, built, totalBuilt, running } = progress;
  const elapsed = describeDuration(Math.floor(elapsedMs / 1_000) * 1_000).replace('.0 s', ' s');
  if (stage !== 'rows and indexes')
    return fit(
      [
        { text: stage, rank: 0 },
        { text: elapsed, rank: 1 },
      ],
      width,
    );
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const cells = Math.round(share * BAR_CELLS);
  const areRowsIn = tables === totalTables && share === 1;
  const perSecond = elapsedMs >= LEAST_SECONDS * 1_000 ? ((bytes - startBytes) / elapsedMs) * 1_000 : 0;
  const isLoading = perSecond > 0 && share < 1;
  return fit(
    [
      { text: areRowsIn ? 'indexes' : 'rows', rank: 0 },
      { text: `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)}`, rank: areRowsIn ? 8 : 6 },
      { text: `${Math.floor(share * 100)} %`, rank: areRowsIn ? 7 : 0 },
      { text: `${describeBytes(Math.min(bytes, totalBytes))} of ${describeBytes(totalBytes)}`, rank: 4 },
      ...(isLoading
        ? [
            { text: `${describeBytes(perSecond)}/s`, rank: 5 },
            { text: `rows in about ${describeDuration(((totalBytes - bytes) / perSecond) * 1_000)}`, rank: 1 },
          ]
        : []),
      { text: `${tables} of ${totalTables} tables`, rank: 5 },
      ...(totalBuilt === 0 ? [] : [{ text: `${built} of ${totalBuilt} indexes and keys`, rank: 3 }]),
      // While rows come, each table is only one of many; an index may take an hour.
      ...(areRowsIn && running[0] !== undefined ? [{ text: running.slice(0, 2).join(', '), rank: 3 }] : []),
      { text: elapsed, rank: 2 },
    ],
    width,
  );
}

interface Part {
  text: string;
  /** What has the highest goes first. */
  rank: number;
}

/** The parts that fit, in their order; the one that matters most is cut when nothing else helps. */
function fit(parts: readonly Part[], width: number): string {
  let kept = [...parts];
  const joined = () => kept.map(({ text }) => text).join('  ');
  while (joined().length > width && kept.some(({ rank }) => rank > 0)) {
    const highest = Math.max(...kept.map(({ rank }) => rank));
    const last = kept.findLastIndex(({ rank }) => rank === highest);
    kept = kept.filter((_, index) => index !== last);
  }
  return joined().slice(0, width);
}
