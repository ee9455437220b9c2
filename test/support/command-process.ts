// Runs a command of the repository as a user does: a process of its own, without a terminal.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { compileCache } from './compile-cache.ts';

export interface CommandEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandProcess {
  child: ChildProcess;
  ended: Promise<CommandEnd>;
  /** Waits until stderr holds the text. */
  says(this: void, text: string): Promise<void>;
}

/** Starts `local/<name>.ts` with this environment and nothing of the test's own but the PATH. */
export function startCommand(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): CommandProcess {
  const script = fileURLToPath(new URL(`../../local/${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...compileCache, PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  const says = async (text: string) => await expect.poll(() => stderr, { timeout: 20_000 }).toContain(text);
  return { child, ended, says };
}

/** Ends those that still run. */
export async function killCommands(started: readonly CommandProcess[]): Promise<void> {
  for (const { child } of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** What startLocalAws has set for this process. */
export function awsVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith('AWS_') && value !== undefined ? [[name, value]] : [],
    ),
  );
}
