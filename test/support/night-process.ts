// Runs `npm start` as a user does: a process of its own, in a working folder of its own, as root or as a plain user.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessUser } from '../../local/postgres/unprivileged-user.ts';
import { compileCache } from './compile-cache.ts';

const script = fileURLToPath(new URL('../../local/run-night.ts', import.meta.url));

export interface NightRun {
  exitCode: number | null;
  output: string;
}

export interface NightProcess {
  readonly child: ChildProcess;
  /** The working folder; reports and kept nights are below it. */
  readonly folder: string;
  /** TMPDIR of the night: what is left here was left behind. */
  readonly temporary: string;
  readonly ended: Promise<NightRun>;
  /** Processes of this night that are still there, by their command lines. */
  processes(): string[];
  /** Waits until `text` is in the output. */
  says(text: string): Promise<void>;
  remove(): void;
}

/** Starts a night; `user` only as root. */
export function startNight(
  args: readonly string[],
  more: { user?: ProcessUser | undefined; env?: Record<string, string> } = {},
): NightProcess {
  const folder = mkdtempSync(join(tmpdir(), 'night-test-'));
  // Short, because the path of the folder marks the processes of this night.
  const temporary = mkdtempSync(join(folder, 'tmp-'));
  for (const path of [folder, temporary]) {
    if (more.user) chownSync(path, more.user.uid, more.user.gid);
    // PostgreSQL's unprivileged user must be able to reach the temporary folder, as it can /tmp.
    chmodSync(path, 0o711);
  }
  const child = spawn(process.execPath, [script, ...args], {
    cwd: folder,
    ...more.user,
    env: { ...compileCache, PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: temporary, ...more.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const ended = new Promise<NightRun>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
  return {
    child,
    folder,
    temporary,
    ended,
    processes: () => processesMentioning(folder),
    says: async (text) => {
      while (!output.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without saying "${text}": ${output}`);
        await sleep(20);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function processesMentioning(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')} ${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
      } catch {
        // It has just ended, or it is another user's, which a plain user's night cannot have started.
        return '';
      }
    })
    .filter((text) => text.includes(folder))
    .map((text) => text.replaceAll('\0', ' ').slice(0, 200));
}

/** The newest kept night of a working folder. */
export function keptNight(folder: string): string {
  const nights = join(folder, '.nightshift');
  const newest = existsSync(nights) ? readdirSync(nights).toSorted().at(-1) : undefined;
  if (newest === undefined) throw new Error(`no night was kept in ${folder}`);
  return join(nights, newest);
}
