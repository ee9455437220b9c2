// The peers: which command with which environment, exactly as it is run, and how psql counts the text of a table.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import type { BenchClients } from '../servers/fetch-clients.ts';
import type { BenchCase, Variant } from './cases.ts';
import type { DataSet } from './data-sets.ts';

/** Where and as whom all peers connect; the same role as ours. */
export interface PeerPlace {
  clients: BenchClients;
  host: string;
  port: number;
  username: string;
  password: string;
  /** Undefined without TLS. */
  caFile: string | undefined;
}

export interface PeerCommand {
  program: string;
  args: string[];
  environment: Record<string, string>;
  /** What the command writes, a file or a folder; undefined when its output goes to /dev/null. */
  output: string | undefined;
}

/** The command of a peer for one data set; what it writes goes into `folder`, which is on a disk or in memory as the sink says. */
export function peerCommand(
  place: PeerPlace,
  variant: Extract<Variant, { who: 'peer' }>,
  sink: BenchCase['sink'],
  dataSet: Pick<DataSet, 'dbname' | 'tables'>,
  folder: string,
): PeerCommand {
  const environment = libpqEnvironment(place, dataSet.dbname);
  if (variant.program === 'psql') {
    const statements = dataSet.tables.flatMap(({ schema, name }) => [
      '-c',
      copyStatement(quoteQualified(schema, name)),
    ]);
    return { program: place.clients.psql, args: ['-X', '-q', ...statements], environment, output: undefined };
  }
  const program = join(place.clients.directory, 'pg_dump');
  if (sink === 'discard' && variant.options.includes('-Fc')) {
    return { program, args: [...variant.options], environment, output: undefined };
  }
  const output = join(folder, 'archive');
  // Our local store does not wait for the disk either.
  return { program, args: [...variant.options, '--no-sync', '-f', output], environment, output };
}

/** The command as a person would type it; the environment, without the password, only where it is asked for. */
export function describeCommand({ program, args, environment, output }: PeerCommand, withEnvironment: boolean): string {
  const words = args.map((arg) => (/^[\w./:=-]+$/.test(arg) ? arg : `'${arg}'`));
  const variables = withEnvironment ? describeEnvironment(environment) : [];
  return [...variables, program, ...words, ...(output === undefined ? ['>', '/dev/null'] : [])].join(' ');
}

function describeEnvironment(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment)
    .filter(([name]) => name.startsWith('PG') && name !== 'PGPASSWORD')
    .map(([name, value]) => `${name}=${value}`);
}

/** Bytes of COPY text of one table; read by psql, which neither we nor the other peers share code with. */
export async function readCopyText(
  place: PeerPlace,
  dbname: string,
  table: string,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn(place.clients.psql, ['-X', '-q', '-c', copyStatement(table)], {
    env: libpqEnvironment(place, dbname),
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`psql exited with code ${code} while it read ${table}`)),
    );
  });
  return bytes;
}

function copyStatement(table: string): string {
  return `copy ${table} to stdout`;
}

/** The environment of a program that connects to nothing; no variable of this shell steers it. */
export const LIBPQ_FREE: Readonly<Record<string, string>> = { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' };

/** Steers a program of PostgreSQL to one database; nothing of this shell does. */
export function libpqEnvironment(place: PeerPlace, dbname: string): Record<string, string> {
  return {
    ...LIBPQ_FREE,
    PGHOST: place.host,
    PGPORT: String(place.port),
    PGUSER: place.username,
    PGPASSWORD: place.password,
    PGDATABASE: dbname,
    ...(place.caFile === undefined
      ? { PGSSLMODE: 'disable' }
      : { PGSSLMODE: 'verify-full', PGSSLROOTCERT: place.caFile }),
  };
}
