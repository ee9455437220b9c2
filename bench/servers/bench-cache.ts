// Where fetched programs stay for the next benchmark: below node_modules, which git ignores and `npm ci` empties.
import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalRunError } from '../../local/local-run-error.ts';

export const repository = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(repository, 'node_modules', '.cache', 'nightshift-bench');

const execute = promisify(execFile);

/**
 * The folder `name` of the cache, made by `fill` in a new folder when it is not there yet.
 *
 * It gets its name only when `fill` has succeeded, so a fetch that was interrupted is made again from the start.
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cache, name);
  if (existsSync(place)) return place;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fetching-'));
  try {
    await fill(folder);
    // A temporary folder is for its owner alone; the server may run as another user.
    chmodSync(folder, 0o755);
    // Another benchmark may have been faster; its folder is as good.
    if (!existsSync(place)) renameSync(folder, place);
    return place;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program of this machine; throws LocalRunError with its last words. */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; signal: AbortSignal; hint: string },
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { ...options, maxBuffer: 16 * 1_048_576 });
    return stdout;
  } catch (error) {
    options.signal.throwIfAborted();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const words = said === '' ? String(error) : said.split('\n').slice(-4).join(' / ');
    throw new LocalRunError(`"${program} ${args.join(' ')}" failed: ${words}. No benchmark was run`, options.hint);
  }
}

/** Throws unless other users may reach the folder: as root the server runs as one of them. */
export function mustBeReachable(folder: string): void {
  for (let place = folder; place !== dirname(place); place = dirname(place)) {
    if ((statSync(place).mode & 0o005) === 0o005) continue;
    throw new LocalRunError(
      `the server was fetched to "${folder}", but as root PostgreSQL runs as another user, who may not read "${place}". No benchmark was run`,
      'run the benchmark as yourself, or put the repository where every user may read',
    );
  }
}

/** Whether a program is there and may be started. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
