// Runs stock pg_restore on a folder that holds a table of contents, without a server: to list it, or to write its SQL.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ClientTools, toolFailure } from '../postgres-client-tools.ts';

/** A table of contents of a million entries takes seconds. */
const TIME_LIMIT_MS = 300_000;
/** pg_restore says what is wrong in one line. */
const MESSAGE_BYTES = 4_096;

/**
 * What `read` makes of the output, or the words with which pg_restore refuses the archive.
 *
 * Throws `client_tools.failed` when the program itself could not run: that says nothing about the archive.
 */
export async function runPgRestore<T>(
  tools: ClientTools,
  args: readonly string[],
  read: (output: Readable) => Promise<T>,
  { signal, during, safeState }: { signal: AbortSignal; during: string; safeState: string },
): Promise<{ output: T } | { refusal: string }> {
  const child = spawn(join(tools.directory, 'pg_restore'), args, {
    env: { LC_ALL: 'C', LD_LIBRARY_PATH: join(tools.directory, '..', 'lib') },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]),
    killSignal: 'SIGKILL',
  });
  let messages = '';
  child.stderr.on('data', (chunk: Buffer) => {
    messages = (messages + chunk.toString('utf8')).slice(-MESSAGE_BYTES);
  });
  const failedToStart = new Promise<Error>((resolve) => child.once('error', resolve));
  const closed = once(child, 'close').catch(() => {});
  const output = await read(child.stdout);
  await closed;
  signal.throwIfAborted();
  if (child.exitCode === 0) return { output };
  if (child.exitCode === 1) return { refusal: messages.trim() };
  if (child.exitCode === null && child.signalCode === null) messages = (await failedToStart).message;
  const end = { exitCode: child.exitCode, signal: child.signalCode, messages: messages.trim() };
  throw toolFailure('pg_restore', end, during, safeState);
}
