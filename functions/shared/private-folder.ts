// A folder of its own for what a drill fetches, gone when the drill ends. What a killed drill has left on the same machine
// (a warm Lambda keeps /tmp) is removed by the next one; the folder of a process that lives is never touched.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { describeError } from './job-failure.ts';
import type { Log } from './log.ts';

const PREFIX = 'nightshift-drill-';
const NAME = /^nightshift-drill-(\d+)-\w+$/;

/** Runs `use` with a new folder that only this user can read; it is removed with all it holds in every case. */
export async function withPrivateFolder<T>(clock: Clock, log: Log, use: (folder: string) => Promise<T>): Promise<T> {
  await removeLeftovers(clock, log);
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      // It takes disk, but nothing that was found is less true; the next drill tries again.
      log.error('restore_drill.folder_not_removed', { folder, problem: describeError(error) });
    });
  }
}

async function removeLeftovers(clock: Clock, log: Log): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const processId = NAME.exec(name)?.[1];
    if (processId === undefined) continue;
    const folder = join(tmpdir(), name);
    try {
      if (!(await isLeftover(clock, folder, Number(processId)))) continue;
      await rm(folder, { recursive: true, force: true });
      log.warn('restore_drill.leftover_removed', { folder });
    } catch (error) {
      // Of another user, or removed by somebody else at this moment: the drill goes on, if its archive fits.
      log.warn('restore_drill.leftover_not_removed', { folder, problem: describeError(error) });
    }
  }
}

async function isLeftover(clock: Clock, folder: string, processId: number): Promise<boolean> {
  if (processId !== process.pid) return !isAlive(processId);
  // A restarted function may get the number of the one that was killed.
  const startedMs = clock.now().getTime() - process.uptime() * 1000;
  return (await stat(folder)).mtimeMs < startedMs;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && Reflect.get(error, 'code') === 'ESRCH');
  }
}
