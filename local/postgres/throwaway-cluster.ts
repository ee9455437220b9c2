// A PostgreSQL cluster for one run: own folder, free port on loopback, own certificate authority, gone afterwards.
// Used by the local night and by every database test; never points at a server that somebody else started.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LocalRunError } from '../local-run-error.ts';
import { startWatchdog } from '../watchdog.ts';
import { createServerCertificate } from './certificate-authority.ts';
import { findPostgres, type PostgresBinaries } from './find-binaries.ts';
import { type ProcessUser, unprivilegedUser } from './unprivileged-user.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 30_000;
/** Another process can take the port between our asking for a free one and the server's bind. */
const PORT_ATTEMPTS = 5;

export interface ThrowawayCluster {
  /** `localhost`: the name in the certificate. */
  readonly host: string;
  readonly port: number;
  readonly superuser: { user: string; password: string };
  /** PEM file of the authority that signed the server certificate. */
  readonly caFile: string;
  readonly binaries: PostgresBinaries;
  /** Pid of the server; gone after stop(). */
  readonly processId: number;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  binaries?: PostgresBinaries;
  /** Further lines of postgresql.conf. */
  settings?: Readonly<Record<string, string>>;
}

/** Makes and starts a cluster; on any failure nothing of it is left. */
export async function startThrowawayCluster(options: ClusterOptions = {}): Promise<ThrowawayCluster> {
  const binaries = options.binaries ?? findPostgres();
  const user = unprivilegedUser();
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-pg-'));
  try {
    giveTo(user, folder);
    const password = randomBytes(24).toString('base64url');
    await initialise(binaries, user, folder, password);
    await installCertificate(user, folder);
    writeSettings(folder, options.settings ?? {});
    const { server, port } = await startOnFreePort(binaries, user, folder);
    return ownCluster({ binaries, folder, password, server, port });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function giveTo(user: ProcessUser | undefined, path: string): void {
  if (user) chownSync(path, user.uid, user.gid);
}

async function initialise(binaries: PostgresBinaries, user: ProcessUser | undefined, folder: string, password: string) {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  giveTo(user, passwordFile);
  const options = [
    '-U',
    'postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
    '-D',
    join(folder, 'data'),
  ];
  try {
    await run(join(binaries.directory, 'initdb'), options, { cwd: folder, ...user, env: cleanEnvironment() });
  } catch (error) {
    throw new LocalRunError(
      `initdb of PostgreSQL ${binaries.major} failed in "${folder}": ${lastLine(error)}. The folder was removed`,
      'check the free space and the rights of the temporary folder (TMPDIR)',
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function lastLine(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return said.trim().split('\n').at(-1) ?? '';
}

async function installCertificate(user: ProcessUser | undefined, folder: string): Promise<void> {
  const { authority, certificate, privateKey } = await createServerCertificate();
  writeFileSync(join(folder, 'ca.pem'), authority, { mode: 0o644 });
  for (const [name, content] of [
    ['server.crt', certificate],
    ['server.key', privateKey],
  ] as const) {
    const path = join(folder, 'data', name);
    writeFileSync(path, content, { mode: 0o600 });
    giveTo(user, path);
  }
}

function writeSettings(folder: string, more: Readonly<Record<string, string>>): void {
  const settings: Record<string, string> = {
    listen_addresses: "'127.0.0.1'",
    unix_socket_directories: "''",
    ssl: 'on',
    // The cluster is thrown away: durability would only cost time.
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '60',
    log_min_messages: 'warning',
    timezone: "'UTC'",
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(join(folder, 'data', 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
  // TLS only, as rds.force_ssl = 1.
  writeFileSync(join(folder, 'data', 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
}

async function startOnFreePort(binaries: PostgresBinaries, user: ProcessUser | undefined, folder: string) {
  let lastLog = '';
  for (let attempt = 1; attempt <= PORT_ATTEMPTS; attempt += 1) {
    const port = await freePort();
    const server = spawn(join(binaries.directory, 'postgres'), ['-D', join(folder, 'data'), '-p', String(port)], {
      cwd: folder,
      ...user,
      env: cleanEnvironment(),
      // Its own process group: Ctrl-C must not reach the server before the owner has closed its sessions.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const log = collect(server);
    if (await isReady(server, join(folder, 'data'))) return { server, port };
    lastLog = log();
    if (!lastLog.includes('could not bind')) break;
  }
  throw new LocalRunError(
    `the throw-away PostgreSQL ${binaries.major} did not start: ${lastLog.trim().split('\n').slice(-3).join(' / ')}. Its folder was removed`,
    'read the message of the server above',
  );
}

function collect(server: ChildProcess): () => string {
  let log = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString('utf8')).slice(-10_000);
  });
  return () => log;
}

/** The server writes `ready` as the last line of postmaster.pid once it takes connections. */
async function isReady(server: ChildProcess, data: string): Promise<boolean> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    if (server.exitCode !== null || server.signalCode !== null) return false;
    try {
      const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').trimEnd().split('\n');
      if (lines[0]?.trim() === String(server.pid) && lines[7]?.trim() === 'ready') return true;
    } catch {
      // Not written yet.
    }
    await sleep(20);
  }
  server.kill('SIGQUIT');
  return false;
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** No PG* variable of the person's shell may steer the throw-away cluster. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

function ownCluster(parts: {
  binaries: PostgresBinaries;
  folder: string;
  password: string;
  server: ChildProcess;
  port: number;
}): ThrowawayCluster {
  const { binaries, folder, password, server, port } = parts;
  const processId = server.pid ?? 0;
  // The server may not keep this process alive.
  server.unref();
  server.stderr?.destroy();
  const watchdog = startWatchdog({ serverProcessId: processId, folders: [folder] });
  return {
    host: 'localhost',
    port,
    superuser: { user: 'postgres', password },
    caFile: join(folder, 'ca.pem'),
    binaries,
    processId,
    folder,
    stop: async () => await watchdog.cleanUp(),
  };
}
