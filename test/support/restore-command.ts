// Runs `npm run restore` as a user does: a process of its own, without a terminal.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, inject } from 'vitest';
import { compileCache } from './compile-cache.ts';
import { BUCKET } from './local-aws.ts';

const script = fileURLToPath(new URL('../../local/restore.ts', import.meta.url));

export interface RestoreEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RestoreProcess {
  child: ChildProcess;
  ended: Promise<RestoreEnd>;
}

/** The database as a user writes it; the password and the proof of the server come from the environment. */
export function targetUrl(dbname: string): string {
  const { user, host, port } = inject('cluster');
  return `postgres://${user}@${host}:${port}/${dbname}`;
}

/** Starts the command with the local S3 of startLocalAws(); `environment` goes before everything else. */
export function startRestore(args: readonly string[], environment: Record<string, string> = {}): RestoreProcess {
  const { password, caFile } = inject('cluster');
  const aws = Object.entries(process.env).filter(([name]) => name.startsWith('AWS_'));
  const child = spawn(process.execPath, [script, ...args], {
    env: {
      ...Object.fromEntries(aws),
      ...compileCache,
      PATH: process.env['PATH'] ?? '',
      BACKUP_BUCKET: BUCKET,
      DATABASE_NAME: 'shop',
      PGPASSWORD: password,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: caFile,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<RestoreEnd>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs it to its end. */
export async function restoreCommand(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<RestoreEnd> {
  return await startRestore(args, environment).ended;
}

/** Shows what it said when the exit code is another. */
export const expectExit = (end: RestoreEnd, exitCode: number) =>
  expect({ ...end, stdout: '' }).toMatchObject({ exitCode, stderr: expect.any(String) });
