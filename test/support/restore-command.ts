// Runs `npm run restore` as a user does: a process of its own, without a terminal.
import { expect, inject } from 'vitest';
import { awsVariables, type CommandEnd, type CommandProcess, startCommand } from './command-process.ts';
import { BUCKET } from './local-aws.ts';

/** The database as a user writes it; the password and the proof of the server come from the environment. */
export function targetUrl(dbname: string): string {
  const { user, host, port } = inject('cluster');
  return `postgres://${user}@${host}:${port}/${dbname}`;
}

/** Starts the command with the local S3 of startLocalAws(); `environment` goes before everything else. */
export function startRestore(args: readonly string[], environment: Record<string, string> = {}): CommandProcess {
  const { password, caFile } = inject('cluster');
  return startCommand('restore', args, {
    ...awsVariables(),
    BACKUP_BUCKET: BUCKET,
    DATABASE_NAME: 'shop',
    PGPASSWORD: password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: caFile,
    ...environment,
  });
}

/** Runs it to its end. */
export async function restoreCommand(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<CommandEnd> {
  return await startRestore(args, environment).ended;
}

/** Shows what it said when the exit code is another. */
export const expectExit = (end: CommandEnd, exitCode: number) =>
  expect({ ...end, stdout: '' }).toMatchObject({ exitCode, stderr: expect.any(String) });
