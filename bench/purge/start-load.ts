// The application while its rows are purged: pgbench with a fixed rate, so that a session that waits makes others late, as people do
// not stop asking. Commits of these sessions do not wait for the disk: its noise would hide what the purge does.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asSuperuser } from '../backup/data-sets.ts';
import { libpqEnvironment } from '../backup/peer-commands.ts';
import { parsePgbenchLog, type Transaction } from './pgbench-log.ts';
import { DATABASE, type PurgeWorld } from './purge-world.ts';

/** Sessions, and transactions per second of all of them together. */
const LIVE = { clients: 6, rate: 300 };
const EXPIRED = { clients: 1, rate: 10 };
/** 60, 20 and 20 %. */
const LIVE_SCRIPTS = ['load-select.sql@3', 'load-insert.sql@1', 'load-update.sql@1'];
/** The same with 2 % for rows past retention. */
const SHARED_SCRIPTS = ['load-select.sql@588', 'load-insert.sql@196', 'load-update.sql@196', 'load-expired.sql@20'];
const EXPIRED_SCRIPT = 3;

const APPLICATION_NAME = 'bench_load';
const START_TIMEOUT_MS = 10_000;
/** As long as it may take to do what became late during the purge. */
const DRAIN_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export interface Load {
  /** Settles when everything that was due up to `untilMs` has been done: late transactions count as well. */
  drain(untilMs: number): Promise<void>;
  /** Ends it; the transactions of the application, and those that touched rows past retention. */
  stop(): Promise<{ live: Transaction[]; expired: Transaction[] }>;
  /** Ends it at once, however far it is. */
  kill(): void;
}

/** Starts it and waits until all its sessions are there. */
export async function startLoad(world: PurgeWorld, { sharedPool }: { sharedPool: boolean }): Promise<Load> {
  const folder = mkdtempSync(join(world.folder, 'load-'));
  const live = startPgbench(world, {
    ...LIVE,
    scripts: sharedPool ? SHARED_SCRIPTS : LIVE_SCRIPTS,
    folder,
    name: 'live',
  });
  const programs = [live];
  if (!sharedPool) {
    programs.push(startPgbench(world, { ...EXPIRED, scripts: ['load-expired.sql'], folder, name: 'expired' }));
  }
  const kill = () => {
    for (const { child } of programs) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitForSessions(world, sharedPool ? LIVE.clients : LIVE.clients + EXPIRED.clients);
  } catch (error) {
    kill();
    throw new Error(`${String(error)}: ${programs.map(({ lastWords }) => lastWords()).join(' / ')}`, { cause: error });
  }
  return {
    // Seen in the log of the application, which comes in pieces of 4 KiB three times a second; that of the one session with
    // 10 per second comes too seldom, and it has no more than moments to catch up with.
    drain: async (untilMs) => {
      for (let waited = 0; waited < DRAIN_TIMEOUT_MS; waited += POLL_MS) {
        world.signal.throwIfAborted();
        const last = live.read().at(-1);
        if (last !== undefined && last.dueMs > untilMs) return;
        await sleep(POLL_MS);
      }
      throw new Error(`the load was still late ${DRAIN_TIMEOUT_MS / 1_000} s after the purge`);
    },
    stop: async () => {
      // A session that has broken off before would have made the load smaller than it is said to be.
      await waitForSessions(world, sharedPool ? LIVE.clients : LIVE.clients + EXPIRED.clients);
      const ended = programs.map(({ end }) => end);
      // It has no signal for a good end: without its sessions it writes the rest of its log and gives up.
      await asSuperuser(world, 'postgres', async (client) => {
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = $2',
          [DATABASE, APPLICATION_NAME],
        );
      });
      await Promise.all(ended);
      const [all = [], separate = []] = programs.map(({ read }) => read());
      kill();
      return {
        live: all.filter(({ script }) => script !== EXPIRED_SCRIPT),
        expired: sharedPool ? all.filter(({ script }) => script === EXPIRED_SCRIPT) : separate,
      };
    },
    kill,
  };
}

interface Pgbench {
  child: ChildProcess;
  end: Promise<void>;
  lastWords: () => string;
  /** What it has logged so far. */
  read: () => Transaction[];
}

function startPgbench(
  world: PurgeWorld,
  what: { clients: number; rate: number; scripts: readonly string[]; folder: string; name: string },
): Pgbench {
  const { application, cluster, pgbench, rows, expired, signal } = world;
  const { clients, rate, scripts, folder, name } = what;
  const sessions = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '1', '-R', String(rate), '-T', '86400'];
  const log = ['--log', `--log-prefix=${join(folder, name)}`];
  const variables = ['-D', `live_from=${expired + 1}`, '-D', `live_to=${rows}`];
  const files = scripts.flatMap((script) => ['-f', fileURLToPath(new URL(`data/${script}`, import.meta.url))]);
  const child = spawn(pgbench, [...sessions, ...log, ...variables, ...files], {
    env: {
      ...libpqEnvironment({ ...application, clients: { ...cluster.binaries, psql: '' } }, DATABASE),
      PGAPPNAME: APPLICATION_NAME,
      PGOPTIONS: '-c synchronous_commit=off',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    words = (words + chunk).slice(-2_000);
  });
  // Its start may fail, and Ctrl-C ends it: the sessions are missing then.
  child.on('error', (error) => {
    words += String(error);
  });
  return {
    child,
    end: new Promise((resolve) => child.once('close', () => resolve())),
    lastWords: () => words.trim(),
    read: () => {
      const file = readdirSync(folder).find((one) => one.startsWith(`${name}.`));
      return file === undefined ? [] : parsePgbenchLog(readFileSync(join(folder, file), 'utf8'));
    },
  };
}

async function waitForSessions(world: PurgeWorld, wanted: number): Promise<void> {
  await asSuperuser(world, 'postgres', async (client) => {
    let there = 0;
    for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
      const { rowCount } = await client.query(
        'select from pg_stat_activity where datname = $1 and application_name = $2',
        [DATABASE, APPLICATION_NAME],
      );
      there = rowCount ?? 0;
      if (there === wanted) return;
      await sleep(POLL_MS);
    }
    throw new Error(`the load has ${there} sessions instead of ${wanted}`);
  });
}
