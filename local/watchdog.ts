// Cleans up after this process however it ends: by itself, by Ctrl-C, or by kill -9.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Watchdog {
  /** Has everything cleaned up now; settles when it is done. */
  cleanUp(): Promise<void>;
}

/** Watches over a PostgreSQL server (undefined = none) and folders, until cleanUp() or the end of this process. */
export function startWatchdog(watched: { serverProcessId?: number; folders: readonly string[] }): Watchdog {
  const script = fileURLToPath(new URL('watchdog-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, String(watched.serverProcessId ?? 0), ...watched.folders], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  // It must not keep this process alive: it ends when the pipe closes.
  child.unref();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let cleaning: Promise<void> | undefined;
  return {
    cleanUp: async () => {
      cleaning ??= (async () => {
        child.ref();
        child.stdin.end();
        await gone;
      })();
      await cleaning;
    },
  };
}
