// Finds and starts the stock PostgreSQL client programs: pg_dump, pg_dumpall, pg_restore.
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { Credentials } from './credentials.ts';
import type { Database, DatabaseTls } from './database.ts';
import { type FailureCode, JobFailure } from './job-failure.ts';

export type ClientProgram = 'pg_dump' | 'pg_dumpall' | 'pg_restore';

export interface ClientTools {
  /** Folder of the programs. */
  directory: string;
  major: number;
  /** As `pg_dump --version` says, e.g. `15.18`. */
  version: string;
}

/** PostgreSQL majors that Nightshift works with. */
const MAJORS = [14, 15, 16, 17, 18] as const;
/** How much of the program's messages is kept: the last words name the reason. */
const MESSAGE_BYTES = 65_536;
/** pg_dump cancels its query on SIGTERM; one that does not end by itself is killed after this. */
const KILL_AFTER_MS = 1_000;

/** The codes with which an attempt fails when its program could not log in, among other reasons. */
const LOGIN_MAY_BE_WHY: ReadonlySet<FailureCode> = new Set(['client_tools.failed']);

const run = promisify(execFile);

/**
 * The client programs of the wanted major, or else of the next higher one that is installed.
 *
 * An older pg_dump refuses a newer server, so a lower major is never chosen: throws `client_tools.not_found` with both
 * versions. `directories` are parted by ":"; in each, bin/, <major>/bin/ and pg<major>/bin/ are looked at.
 */
export async function findClientTools(directories: string, wantedMajor: number): Promise<ClientTools> {
  const places = directories
    .split(':')
    .filter((directory) => directory !== '')
    .flatMap((directory) => [
      directory,
      join(directory, 'bin'),
      ...MAJORS.flatMap((major) => [join(directory, String(major), 'bin'), join(directory, `pg${major}`, 'bin')]),
    ]);
  const found: ClientTools[] = [];
  for (const directory of places) {
    if (!isExecutable(join(directory, 'pg_dump')) || !isExecutable(join(directory, 'pg_restore'))) continue;
    const version = await versionOf(join(directory, 'pg_dump'));
    if (version !== undefined) found.push({ directory, version, major: Number.parseInt(version, 10) });
  }
  const usable = found.filter(({ major }) => major >= wantedMajor).toSorted((a, b) => a.major - b.major)[0];
  if (usable) return usable;
  throw new JobFailure({
    code: 'client_tools.not_found',
    problem:
      found.length === 0
        ? `pg_dump and pg_restore are not installed: looked in ${directories.split(':').join(', ')} and their bin/, <major>/bin/ and pg<major>/bin/`
        : `the server is PostgreSQL ${wantedMajor}, but the newest pg_dump here is ${found.map(({ version }) => version).join(', ')}; an older pg_dump cannot read a newer server`,
    safeState: 'Nothing was dumped or restored',
    hint: `install the PostgreSQL ${wantedMajor} client programs (in AWS: the layer of that major)`,
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const env = { LC_ALL: 'C', LD_LIBRARY_PATH: join(dirname(program), '..', 'lib') };
    const { stdout } = await run(program, ['--version'], { timeout: 10_000, env });
    return /\s(\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  } catch {
    // A program that does not even tell its version (wrong processor, missing library) is as good as absent.
    return undefined;
  }
}

export interface ToolRun {
  readonly stdout: Readable;
  readonly stdin: Writable;
  /** Settles when the program has ended and its output is closed; never rejects. */
  readonly ended: Promise<ToolEnd>;
  /** Asks the program to stop, and kills it when it does not within a second. */
  stop(): void;
}

export interface ToolEnd {
  /** Null when a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  /** What it said on standard error, without the lines that may quote row values. */
  messages: string;
}

interface ToolStart {
  tools: ClientTools;
  program: ClientProgram;
  args: readonly string[];
  credentials: Credentials;
  dbname: string;
  tls: DatabaseTls;
  applicationName: string;
}

/** Starts a client program; the password goes by the environment, which only this user can read, never by an argument. */
export function startClientTool(start: ToolStart): ToolRun {
  const child = spawn(join(start.tools.directory, start.program), start.args, {
    env: libpqEnvironment(start),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // Read from the first moment on: when a program ends while nobody reads, Node throws its waiting output away.
  const stdout = child.stdout.pipe(new PassThrough());
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-MESSAGE_BYTES);
  });
  // A program that ends early closes its end of the pipe; its exit code tells why, EPIPE does not.
  child.stdin.on('error', () => {});
  let killTimer: NodeJS.Timeout | undefined;
  const ended = new Promise<ToolEnd>((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: null, messages: error.message }));
    child.once('close', (exitCode, signal) => {
      clearTimeout(killTimer);
      resolve({ exitCode, signal, messages: withoutRowValues(said) });
    });
  });
  return {
    stdout,
    stdin: child.stdin,
    ended,
    stop: () => {
      child.kill('SIGTERM');
      killTimer ??= setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    },
  };
}

/**
 * Runs `attempt` with a login that has just worked, and once more when the secret was rotated while it connected.
 *
 * `attempt` must leave nothing behind when the login was refused.
 */
export async function withCurrentLogin<T>(
  database: Database,
  attempt: (credentials: Credentials) => Promise<T>,
): Promise<T> {
  const used = await database.verifiedCredentials();
  try {
    return await attempt(used);
  } catch (error) {
    if (!(error instanceof JobFailure && LOGIN_MAY_BE_WHY.has(error.code))) throw error;
    const current = await database.verifiedCredentials();
    if (current.username === used.username && current.password.equals(used.password)) throw error;
    return await attempt(current);
  }
}

/** The failure of a client program that did not end with exit code 0. */
export function toolFailure(program: ClientProgram, end: ToolEnd, doneSoFar: string, safeState: string): JobFailure {
  const how = end.signal === null ? `exited with code ${end.exitCode ?? 'unknown'}` : `was ended by ${end.signal}`;
  const said = end.messages === '' ? 'it said nothing' : `"${end.messages.split('\n').slice(-3).join(' / ')}"`;
  return new JobFailure({
    code: 'client_tools.failed',
    problem: `${program} ${how} ${doneSoFar}: ${said}`,
    safeState,
    hint: `read what ${program} says; look at the log of the server at this time, and at the memory of the function when a signal ended it`,
  });
}

function libpqEnvironment({ credentials, dbname, tls, applicationName, tools }: ToolStart): Record<string, string> {
  const sslMode = { 'verify-full': 'verify-full', 'no-verify': 'require', disable: 'disable' }[tls.mode];
  return {
    LC_ALL: 'C',
    LD_LIBRARY_PATH: join(tools.directory, '..', 'lib'),
    PGHOST: credentials.host,
    PGPORT: String(credentials.port),
    PGUSER: credentials.username,
    PGPASSWORD: credentials.password.reveal(),
    PGDATABASE: dbname,
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '8',
    // The server notices a killed program within half a second, so its snapshot and locks do not linger.
    PGOPTIONS:
      '-c client_connection_check_interval=500 -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3',
    ...(credentials.host.startsWith('/') ? {} : { PGSSLMODE: sslMode }),
    ...(tls.mode === 'verify-full' ? { PGSSLROOTCERT: tls.caFile } : {}),
  };
}

/**
 * The program's own lines. The server's DETAIL and CONTEXT lines, which quote row values, come without the program's
 * name in front; the echoed command does not help the reader.
 */
function withoutRowValues(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^(pg_dump|pg_dumpall|pg_restore): /.test(line) && !line.includes('Command was:'))
    .map((line) => line.trimEnd())
    .join('\n');
}
