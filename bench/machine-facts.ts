// On what a benchmark has run: without it its figures say nothing.
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';

export interface MachineFacts {
  at: string;
  cores: number;
  processor: string;
  memoryGiB: number;
  system: string;
  node: string;
  /** f_type of the file system of the temporary folder, in hex (statfs(2)): ef53 is ext4, 1021994 is tmpfs. */
  diskFileSystem: string;
  /** One-minute load average when it began: others may have used the processors. */
  loadAtStart: number;
}

/** The facts of now. */
export function readMachineFacts(): MachineFacts {
  return {
    at: new Date().toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round((totalmem() / 1_073_741_824) * 10) / 10,
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    diskFileSystem: statfsSync(tmpdir()).type.toString(16),
    loadAtStart: Number(readFileSync('/proc/loadavg', 'utf8').split(' ', 1)[0]),
  };
}
