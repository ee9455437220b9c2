// Processor time and memory of processes, as /proc of Linux tells them. A process that is gone has none.
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the unit of /proc/<pid>/stat, 100 per second on every Linux processor that PostgreSQL and Node run on. */
const TICKS_PER_SECOND = 100;

export interface ProcessTime {
  /** Of the process itself, all its threads. */
  ownSeconds: number;
  /** Of children that have ended and were waited for, and of theirs. */
  reapedSeconds: number;
}

export interface ProcessMemory {
  /** Resident now; of it private (heap, stacks), and shared memory (PostgreSQL's shared buffers). MiB. */
  residentMiB: number;
  privateMiB: number;
  sharedMiB: number;
  /** The most that was ever resident, as the kernel keeps it. MiB. */
  peakMiB: number;
}

/** Processor time until now, in steps of 10 ms. */
export function readTime(processId: number | 'self'): ProcessTime | undefined {
  const stat = readOrUndefined(`/proc/${processId}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may hold blanks; utime is the 14th field of all (proc(5)).
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [userTicks = 0, systemTicks = 0, reapedUserTicks = 0, reapedSystemTicks = 0] = fields.slice(11, 15);
  return {
    ownSeconds: (userTicks + systemTicks) / TICKS_PER_SECOND,
    reapedSeconds: (reapedUserTicks + reapedSystemTicks) / TICKS_PER_SECOND,
  };
}

/** Memory now; undefined also for a process that has ended and was not waited for yet. */
export function readMemory(processId: number): ProcessMemory | undefined {
  const status = readOrUndefined(`/proc/${processId}/status`);
  if (status === undefined || !status.includes('VmRSS:')) return undefined;
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return {
    residentMiB: mebibytes('VmRSS'),
    privateMiB: mebibytes('RssAnon'),
    sharedMiB: mebibytes('RssShmem'),
    peakMiB: mebibytes('VmHWM'),
  };
}

/** The process and all that it and its children have started, those that are still there. */
export function readTree(processId: number): number[] {
  const tree = [processId];
  for (const parent of tree) tree.push(...childrenOf(parent));
  return tree;
}

/** Reads again when a process has ended in between: its time would be missing or there twice. */
const TRIES = 50;

/** Processor seconds of the tree: of all that live, and of all that have ended. */
export function treeSeconds(processId: number): number {
  let seconds = 0;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = readTime(processId)?.reapedSeconds;
    const tree = readTree(processId);
    const times = tree.map(readTime);
    seconds = times.reduce((sum, time) => sum + (time?.ownSeconds ?? 0) + (time?.reapedSeconds ?? 0), 0);
    const isSteady = before === readTime(processId)?.reapedSeconds && !times.includes(undefined);
    if (isSteady && readTree(processId).join() === tree.join()) break;
  }
  return seconds;
}

/** Each thread has its own list, and any of them may start a process. */
function childrenOf(processId: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${processId}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    (readOrUndefined(`/proc/${processId}/task/${thread}/children`) ?? '')
      .split(' ')
      .filter((text) => text.trim() !== '')
      .map(Number),
  );
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
