// Lets stock pg_restore read a table of contents: the proof that does not depend on our own reader.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ClientTools, toolFailure } from '../shared/postgres-client-tools.ts';

export interface ListedArchive {
  /** As pg_restore counts them. */
  entries: number;
  tables: number;
}

/** A table of contents of a million entries takes seconds. */
const TIME_LIMIT_MS = 300_000;
/** pg_restore says what is wrong in one line. */
const MESSAGE_BYTES = 4_096;

/**
 * Counts what `pg_restore --list` shows of the archive in `folder`, or gives the words with which it refuses it.
 *
 * Throws `client_tools.failed` when the program itself could not run: that says nothing about the archive.
 */
export async function listArchive(
  tools: ClientTools,
  folder: string,
  signal: AbortSignal,
): Promise<ListedArchive | { refusal: string }> {
  const child = spawn(join(tools.directory, 'pg_restore'), ['--list', folder], {
    env: { LC_ALL: 'C', LD_LIBRARY_PATH: join(tools.directory, '..', 'lib') },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]),
    killSignal: 'SIGKILL',
  });
  let messages = '';
  child.stderr.on('data', (chunk: Buffer) => {
    messages = (messages + chunk.toString('utf8')).slice(0, MESSAGE_BYTES);
  });
  const failedToStart = new Promise<Error>((resolve) => child.once('error', resolve));
  const closed = once(child, 'close').catch(() => {});
  let entries = 0;
  let tables = 0;
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
    const counted = /^;\s+TOC Entries: (\d+)$/.exec(line)?.[1];
    if (counted !== undefined) entries = Number(counted);
    if (/^\d+; \d+ \d+ TABLE DATA /.test(line)) tables += 1;
  }
  await closed;
  signal.throwIfAborted();
  if (child.exitCode === 0) return { entries, tables };
  if (child.exitCode === 1) return { refusal: messages.trim() };
  if (child.exitCode === null && child.signalCode === null) messages = (await failedToStart).message;
  throw toolFailure(
    'pg_restore',
    { exitCode: child.exitCode, signal: child.signalCode, messages: messages.trim() },
    'while it listed the table of contents',
    'Nothing is said about the backup, which was not changed',
  );
}
