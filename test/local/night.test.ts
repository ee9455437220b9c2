import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { startThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { unprivilegedUser } from '../../local/postgres/unprivileged-user.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { keptNight, type NightProcess, startNight } from '../support/night-process.ts';

const NIGHT_MS = 180_000;
const JOBS = ['bootstrap', 'migrate', 'backup', 'verify', 'restore-drill', 'purge', 'expire', 'report'];

const nights: NightProcess[] = [];
const folders: string[] = [];
let fresh: FreshDatabase;

function night(...args: Parameters<typeof startNight>): NightProcess {
  const started = startNight(...args);
  nights.push(started);
  return started;
}

beforeAll(async () => {
  fresh = await createFreshDatabase();
  await fresh.query('create schema shop; create table shop.orders (id int primary key, note text)');
  await fresh.query("insert into shop.orders select n, 'order ' || n from generate_series(1, 5000) n");
  await fresh.query('create role night_policy_role nologin');
  await fresh.query('alter table shop.orders enable row level security');
  await fresh.query('create policy seen on shop.orders to night_policy_role using (true)');
  // A session tells the statistics of what it has written a second later.
  const written = async () => (await fresh.query('select n_tup_ins from pg_stat_user_tables')).rows[0]?.n_tup_ins;
  await vi.waitUntil(async () => (await written()) === '5000', { timeout: 20_000, interval: 200 });
});

afterAll(async () => {
  await fresh.query('drop schema shop cascade; drop role night_policy_role');
  await fresh.drop();
  for (const started of nights) started.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The database of this file as a user writes it, with the proof of the server that verify-full needs. */
function databaseUrl(): string {
  const { user, password, host, port, caFile } = inject('cluster');
  return `postgres://${user}:${password}@${host}:${port}/${fresh.name}?sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`;
}

async function expectNothingLeft(started: NightProcess): Promise<void> {
  // The watchdog works on after the night itself has ended.
  for (
    let waited = 0;
    waited < 100 && (started.processes().length > 0 || readdirSync(started.temporary).length > 0);
    waited += 1
  ) {
    await sleep(100);
  }
  expect(started.processes()).toEqual([]);
  expect(readdirSync(started.temporary)).toEqual([]);
}

describe('npm start', () => {
  test(
    'two nights at once, one as root where we are root and one as a plain user whose backup is made in many steps: every job is ok, stock pg_restore restores the archive, nothing is left behind',
    async () => {
      const both = [
        night(['--users', '2000', '--keep']),
        night(['--users', '2000', '--distributed'], { user: unprivilegedUser() }),
      ];
      const [kept, plain] = await Promise.all(both.map(async ({ ended }) => await ended));

      for (const run of [kept, plain]) {
        expect(run?.output).toMatch(/restore-drill +│ ok +│ +[\d.]+ │ ok \(12 tables, [\d,]+ rows\)/);
        for (const job of JOBS) expect(run?.output).toMatch(new RegExp(`│ ${job} +│ ok `));
        expect(run?.exitCode).toBe(0);
      }
      for (const started of both) {
        await expectNothingLeft(started);
        expect(readFileSync(join(keptNight(started.folder), 'report.html'), 'utf8')).toContain('</html>');
      }
      await restoreByHand(both[0]?.folder ?? '', kept?.output ?? '');
    },
    NIGHT_MS,
  );

  test(
    "the user's own database, drilled elsewhere and drilled there: it is only read, no scratch database stays",
    async () => {
      const before = await describeServer();

      const elsewhere = night(['--database-url', databaseUrl()]);
      // The id of a backup is the second in which its night began; one database has one backup of an id at a time.
      await sleep(1_100);
      const here = night(['--database-url', databaseUrl(), '--drill-here']);
      const runs = await Promise.all([elsewhere.ended, here.ended]);

      for (const { exitCode, output } of runs) {
        expect(output).toMatch(/restore-drill +│ ok +│ +[\d.]+ │ ok \(1 table, 5,000 rows\)/);
        expect(output).toContain('TLS verify-full');
        expect(output).not.toMatch(/│ (purge|migrate|bootstrap) /);
        expect(output).not.toContain(inject('cluster').password);
        expect(exitCode).toBe(0);
      }
      expect(await describeServer()).toEqual(before);
      await expectNothingLeft(elsewhere);
      await expectNothingLeft(here);
    },
    NIGHT_MS,
  );

  test(
    'pg_dump fails in one night, another is killed with -9 midway, a third gets Ctrl-C at its start: loud, and nothing is left',
    async () => {
      const broken = night(['--users', '10'], { env: { NIGHTSHIFT_POSTGRES_BIN: brokenPgDump() } });
      const killed = night(['--users', '200000']);
      const stopped = night([]);

      await stopped.says('PostgreSQL 1');
      stopped.child.kill('SIGINT');
      await killed.says('sample data');
      killed.child.kill('SIGKILL');

      const { exitCode, output } = await broken.ended;
      expect(output).toMatch(/│ backup +│ failed +│ .*client_tools\.failed/);
      expect(output).toMatch(/│ verify +│ not run │/);
      expect(output).toMatch(/│ restore-drill +│ failed +│/);
      expect(output).toMatch(/│ expire +│ ok/);
      expect(exitCode).toBe(1);
      expect((await stopped.ended).exitCode).toBe(130);
      await killed.ended;
      for (const started of [broken, killed, stopped]) await expectNothingLeft(started);
    },
    NIGHT_MS,
  );

  test.each([
    [['--user', '5'], /Unknown option '--user'/],
    [['--users', '0'], /--users is "0"; it must be a whole number from 1 to 5000000/],
    [['--drill-here'], /--drill-here goes only with --database-url/],
    [['--database-url', 'postgres://me:hunter2@127.0.0.1:1/shop'], /server "127\.0\.0\.1:1" could not be reached/],
    [['--database-url', ' '], /--database-url is blank/],
  ])('wrong options %j: one clear error with a hint, exit code 2, nothing started', async (args, message) => {
    const started = night(args);
    const { exitCode, output } = await started.ended;

    expect(output).toMatch(message);
    expect(output).toMatch(/Hint: /);
    expect(output).not.toContain('hunter2');
    expect(output).not.toMatch(/^ +at /m);
    expect(exitCode).toBe(2);
    expect(existsSync(join(started.folder, '.nightshift'))).toBe(false);
  });

  test('no PostgreSQL on the machine: says which programs, where, and how to install them, exit code 2', async () => {
    const { exitCode, output } = await night([], { env: { NIGHTSHIFT_POSTGRES_BIN: '/no/such/place' } }).ended;

    expect(output).toMatch(/Looked for initdb, postgres, pg_dump.*\/no\/such\/place.*apt-get install -y postgresql/s);
    expect(exitCode).toBe(2);
  });
});

/** Schemas, roles, databases and the last transaction of the server: what a night that only reads does not change. */
async function describeServer(): Promise<unknown> {
  const { rows } = await fresh.query(
    `select
       (select json_agg(nspname order by 1) from pg_namespace where nspname not like 'pg_%') as schemas,
       (select json_agg(datname order by 1) from pg_database where datname like 'nightshift%') as databases,
       (select json_agg(rolname order by 1) from pg_roles where rolname like 'nightshift%') as roles,
       (select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables) as written`,
  );
  return rows;
}

/** The lines that the night has printed, run as a person would on a new server. */
async function restoreByHand(folder: string, output: string): Promise<void> {
  const lines = output.split('\n').filter((line) => /^ {2}(psql|createdb|pg_restore) /.test(line));
  const server = await startThrowawayCluster();
  try {
    const { user, password } = server.superuser;
    const place = { PGHOST: server.host, PGPORT: String(server.port), PGUSER: user, PGPASSWORD: password };
    const env = {
      ...place,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: server.caFile,
      PATH: `${server.binaries.directory}:/usr/bin:/bin`,
    };
    for (const line of lines)
      execFileSync('sh', ['-c', line], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const users = execFileSync('psql', ['-d', 'restored', '-Atc', 'select count(*) from app_schema.users'], {
      env,
      encoding: 'utf8',
    });
    expect(lines).toHaveLength(3);
    expect(users.trim()).toBe('2000');
  } finally {
    await server.stop();
  }
}

/** A folder with the real programs but for a pg_dump that ends with 1 before its table of contents is whole. */
function brokenPgDump(): string {
  const bin = mkdtempSync(join(tmpdir(), 'night-test-bin-'));
  chmodSync(bin, 0o755);
  folders.push(bin);
  const real = inject('cluster').clientDirectory;
  for (const program of readdirSync(real).filter((name) => name !== 'pg_dump'))
    symlinkSync(join(real, program), join(bin, program));
  const pgDump = `#!/bin/sh\n[ "$1" = --version ] && exec ${join(real, 'pg_dump')} --version\n${join(real, 'pg_dump')} "$@" | head -c 500; exit 1\n`;
  writeFileSync(join(bin, 'pg_dump'), pgDump, { mode: 0o755 });
  return bin;
}
