// One line that says how far a restore is: a bar, bytes, tables, what is built, speed and how long it will take. Pure.
import { describeBytes, describeDuration } from '../../functions/report/describe-amounts.ts';
import type { RestoreProgress } from '../../functions/shared/restore/restore-progress.ts';

const BAR_CELLS = 24;
/** Before that a speed is a guess. */
const LEAST_SECONDS = 2;

/** The line; `startBytes` were there when this run began, `elapsedMs` is since then. */
export function progressLine(progress: RestoreProgress, startBytes: number, elapsedMs: number): string {
  const { stage, bytes, totalBytes, tables, totalTables, built, totalBuilt } = progress;
  if (stage === 'structure') return 'structure';
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const cells = Math.round(share * BAR_CELLS);
  const parts = [
    `${stage.padEnd(16)} ${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${String(Math.floor(share * 100)).padStart(3)} %`,
    `${describeBytes(Math.min(bytes, totalBytes))} of ${describeBytes(totalBytes)}`,
    `${tables} of ${totalTables} tables`,
    ...(totalBuilt === 0 ? [] : [`${built} of ${totalBuilt} indexes and constraints`]),
  ];
  const seconds = elapsedMs / 1_000;
  const loaded = bytes - startBytes;
  if (stage === 'rows and indexes' && seconds >= LEAST_SECONDS && loaded > 0 && share < 1) {
    const perSecond = loaded / seconds;
    parts.push(`${describeBytes(perSecond)}/s`);
    parts.push(`rows in about ${describeDuration(((totalBytes - bytes) / perSecond) * 1_000)}`);
  }
  return parts.join('  ');
}
