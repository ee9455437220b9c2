// Gets the table of contents from the real pg_dump: it writes it before any data, holding ACCESS SHARE on every table.
// No DDL is ever written by our own code, and no data is taken from pg_dump.
import type { Toc } from '../../shared/archive-toc/toc-entry.ts';
import { createTocReader } from '../../shared/archive-toc/toc-reader.ts';
import type { Credentials } from '../../shared/credentials.ts';
import type { Database } from '../../shared/database.ts';
import {
  type ClientTools,
  startClientTool,
  type ToolRun,
  toolFailure,
  withCurrentLogin,
} from '../../shared/postgres-client-tools.ts';

export interface PgDumpRequest {
  tools: ClientTools;
  database: Database;
  /** Of pg_export_snapshot(); the transaction that exported it must live until pg_dump has imported it. */
  snapshotId: string;
  /** Of the database, as pg_encoding_to_char() calls it. */
  encoding: string;
  lockTimeoutMs: number;
  applicationName: string;
  /** What to leave out, as pg_dump's own options. */
  filters: readonly string[];
  signal: AbortSignal;
}

export interface HeldToc {
  readonly toc: Toc;
  /** Ends pg_dump, and with it its locks; call it as soon as they are held elsewhere. Never rejects. */
  stop(): Promise<void>;
}

/**
 * The table of contents, while pg_dump still holds its locks (unless there was so little data that it has ended).
 *
 * Throws `client_tools.failed` with pg_dump's own words when it ends before the table of contents is whole.
 */
export async function readTocFromPgDump(request: PgDumpRequest): Promise<HeldToc> {
  return await withCurrentLogin(request.database, async (credentials) => await readAs(credentials, request));
}

async function readAs(credentials: Credentials, request: PgDumpRequest): Promise<HeldToc> {
  const { signal, encoding } = request;
  const pgDump = startClientTool({
    tools: request.tools,
    program: 'pg_dump',
    args: [
      '--format=custom',
      '--compress=0',
      `--snapshot=${request.snapshotId}`,
      `--lock-wait-timeout=${request.lockTimeoutMs}`,
      '--no-password',
      // Names are read on UTF8 connections; SQL_ASCII holds bytes of any kind, which only itself can carry.
      ...(encoding === 'UTF8' || encoding === 'SQL_ASCII' ? [] : ['--encoding=UTF8']),
      ...request.filters,
    ],
    credentials,
    dbname: credentials.dbname,
    tls: request.database.tls,
    applicationName: request.applicationName,
  });
  const stop = () => pgDump.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const end = async () => {
    signal.removeEventListener('abort', stop);
    // Without effect on a program that has ended. What it says about being stopped is expected and not looked at.
    pgDump.stop();
    pgDump.stdout.resume();
    await pgDump.ended;
  };
  try {
    const toc = await readWhole(pgDump);
    signal.throwIfAborted();
    return { toc, stop: end };
  } catch (error) {
    await end();
    signal.throwIfAborted();
    throw error;
  }
}

async function readWhole(pgDump: ToolRun): Promise<Toc> {
  const reader = createTocReader();
  const { stdout } = pgDump;
  // By events and not `for await`: leaving a loop would close the pipe, and pg_dump would let go of its locks before they
  // are held here. Paused, it waits in the middle of a write for as long as it takes.
  const toc = await new Promise<Toc | undefined>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      try {
        const whole = reader.push(chunk);
        if (whole === undefined) return;
        stdout.pause();
        stdout.off('data', onData);
        resolve(whole);
      } catch (error) {
        stdout.off('data', onData);
        reject(error);
      }
    };
    stdout.on('data', onData);
    stdout.once('end', () => resolve(undefined));
    stdout.once('error', reject);
  });
  if (toc) return toc;
  const end = await pgDump.ended;
  // An archive without any data tells only by its end that the table of contents is whole.
  if (end.exitCode === 0) return reader.end();
  throw toolFailure('pg_dump', end, 'before its table of contents was whole', 'No backup was recorded');
}
