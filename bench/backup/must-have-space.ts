// Refuses a benchmark for which there is no room, before tables are made for minutes.
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { LocalRunError } from '../../local/local-run-error.ts';
import type { BackupBenchOptions } from '../parse-arguments.ts';

const MIB = 1_048_576;
/** MiB on the server per MiB of COPY text: 1.14 was measured for the wide table, 1.3 for pgbench; the rest is for WAL and sorting. */
export const TABLE_FACTOR = 1.6;
/** MiB of archive per MiB of COPY text: a fifth for the wide table. */
export const ARCHIVE_FACTOR = 0.4;
/** An empty cluster. */
export const CLUSTER_MIB = 100;

/** The MiB that a benchmark may need at the same time in the temporary folder and in memory. */
export function neededSpace(options: Pick<BackupBenchOptions, 'rounds' | 'sizeMiB' | 'dataSets' | 'growthGiB'>): {
  diskMiB: number;
  memoryMiB: number;
} {
  const sizes = options.rounds === 0 ? 0 : options.sizeMiB;
  const growth = Math.max(0, ...options.growthGiB) * 1_024;
  const tables = sizes * options.dataSets.length + growth;
  return {
    diskMiB: Math.ceil(CLUSTER_MIB + tables * TABLE_FACTOR + sizes * ARCHIVE_FACTOR),
    memoryMiB: Math.ceil(sizes * ARCHIVE_FACTOR),
  };
}

/** Throws LocalRunError when the temporary folder or /dev/shm has less. */
export function mustHaveSpace(options: BackupBenchOptions): void {
  const { diskMiB, memoryMiB } = neededSpace(options);
  const hint = 'give --size, --growth or --data less to do, or set TMPDIR to a larger disk';
  mustHaveFree(tmpdir(), diskMiB, hint);
  mustHaveFree('/dev/shm', memoryMiB, hint);
}

/** Throws LocalRunError when the file system of `folder` has less than so many MiB free. */
export function mustHaveFree(folder: string, neededMiB: number, hint: string): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.floor((bavail * bsize) / MIB);
  if (free >= neededMiB) return;
  throw new LocalRunError(
    `"${folder}" has ${free} MiB free, but ${neededMiB} MiB may be needed. Nothing was started`,
    hint,
  );
}
