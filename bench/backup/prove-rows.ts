// Proves that a run has copied everything, so that a fast wrong one cannot win.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { BenchClients } from '../servers/fetch-clients.ts';
import type { DataSet } from './data-sets.ts';
import { LIBPQ_FREE } from './peer-commands.ts';

/**
 * The rows that the manifest tells; throws unless every table has the rows and the bytes of COPY text that the data set
 * was counted to have.
 */
export function proveManifest(manifest: Pick<BackupManifest, 'tables'>, dataSet: Pick<DataSet, 'tables'>): number {
  let rows = 0;
  for (const table of dataSet.tables) {
    const told = manifest.tables.find(({ schema, name }) => schema === table.schema && name === table.name);
    if (told === undefined) throw new Error(`the manifest has no table "${table.name}"`);
    if (told.rows !== table.rows || told.bytes !== table.copyBytes) {
      throw new Error(
        `the manifest has ${told.rows} rows and ${told.bytes} bytes of "${table.name}", the server ${table.rows} rows and ${table.copyBytes} bytes`,
      );
    }
    rows += told.rows;
  }
  return rows;
}

/** Has pg_restore read all data of an archive and counts the rows; throws unless there are as many as expected. */
export async function countArchiveRows(
  clients: BenchClients,
  archive: string,
  expected: number,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn(join(clients.directory, 'pg_restore'), ['--data-only', '-f', '-', archive], {
    env: LIBPQ_FREE,
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const counter = createRowCounter();
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) counter.add(chunk);
  const code = await ended;
  if (code !== 0) throw new Error(`pg_restore ended with code ${code} while it read the archive back`);
  if (counter.rows() !== expected) {
    throw new Error(`the archive has ${counter.rows()} rows, the server ${expected}`);
  }
  return expected;
}

const NEWLINE = 10;

/** Counts the lines between `COPY … FROM stdin;` and `\.` of what pg_restore prints, in pieces of any size. */
export function createRowCounter(): { add(chunk: Buffer): void; rows(): number } {
  let rows = 0;
  let isInData = false;
  let rest = Buffer.alloc(0);
  const line = (bytes: Buffer) => {
    if (!isInData) {
      isInData = bytes.subarray(0, 5).equals(START) && bytes.subarray(-END_OF_START.length).equals(END_OF_START);
    } else if (bytes.equals(END)) isInData = false;
    else rows += 1;
  };
  return {
    add: (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
        line(bytes.subarray(from, at));
        from = at + 1;
      }
      rest = Buffer.from(bytes.subarray(from));
    },
    rows: () => rows,
  };
}

const START = Buffer.from('COPY ');
const END_OF_START = Buffer.from(' FROM stdin;');
const END = Buffer.from('\\.');
