// A migration that wants a lock which somebody holds: readers wait no longer than lock_timeout, and whoever is in the way is named.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPostgres } from '../../local/postgres/find-binaries.ts';
import { useMigrateWorld } from '../database/migrate-world.ts';

const LOCK_TIMEOUT_MS = 400;
/** What the machine may take on top: the server looks at its clock, pgbench at another. */
const TOLERANCE_MS = 100;
const FILES = {
  '0001_busy.up.sql':
    'create table public.busy (id int primary key, value text);\ninsert into public.busy select n, md5(n::text) from generate_series(1, 1000) n;\ngrant select on public.busy to public;',
  '0001_busy.down.sql': 'drop table public.busy;',
  '0002_column.up.sql': 'alter table public.busy add column extra int;',
  '0002_column.down.sql': 'alter table public.busy drop column extra;',
};
const first = { '0001_busy.up.sql': FILES['0001_busy.up.sql'], '0001_busy.down.sql': FILES['0001_busy.down.sql'] };

const world = useMigrateWorld();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-pgbench-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Readers by pgbench until it is stopped; the answer are the milliseconds of each statement. */
function startReaders(): { stop(): Promise<number[]> } {
  const { host, port } = world.cluster.place;
  const { user, password } = world.cluster.superuser;
  const script = join(folder, 'read.sql');
  writeFileSync(script, '\\set id random(1, 1000)\nselect value from public.busy where id = :id;\n');
  const child = spawn(
    join(findPostgres().directory, 'pgbench'),
    ['-n', '-f', script, '-c', '4', '-T', '60', '-l', '--log-prefix', 'reads', world.dbname],
    {
      cwd: folder,
      stdio: 'ignore',
      env: {
        ...process.env,
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGSSLMODE: 'require',
      },
    },
  );
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    stop: async () => {
      child.kill('SIGINT');
      await gone;
      const logs = readdirSync(folder).filter((name) => name.startsWith('reads'));
      const lines = logs.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
      for (const name of logs) rmSync(join(folder, name));
      // client, transaction, microseconds …; the last line may be cut off.
      return lines.flatMap((line) => (/^\d+ \d+ (\d+) /.exec(line)?.[1] ? [Number(line.split(' ')[2]) / 1000] : []));
    },
  };
}

const percentile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

describe('a migration whose lock somebody holds', () => {
  test('a writer holds on: it gives up with his pid, age and statement, and no reader waits for longer than lock_timeout', async ({
    annotate,
  }) => {
    await world.migrate('up', first);
    const writer = await world.cluster.client(world.dbname);
    await writer.query("begin; update public.busy set value = 'a secret' where id = 7");
    const readers = startReaders();
    await expect
      .poll(
        async () =>
          (await world.client.query("select from pg_stat_activity where application_name = 'pgbench'")).rowCount,
      )
      .toBe(4);

    const failure = await world
      .migrate('up', FILES, { lockTimeoutMs: LOCK_TIMEOUT_MS, lockAttempts: 4 })
      .catch((error: unknown) => error);
    const reads = await readers.stop();

    expect(failure).toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringMatching(
        /SQLSTATE 55P03.*; the lock was held by pid \d+ \("test", transaction open for \d+ s, idle in transaction, last statement: begin; update public\.busy set value = \$1 where id = \$2\); it was tried 4 times$/,
      ),
    });
    expect(String(failure)).not.toContain('a secret');
    expect(reads.length).toBeGreaterThan(1_000);
    await annotate(
      `readers during 4 tries of ${LOCK_TIMEOUT_MS} ms: ${reads.length} statements, p99 ${percentile(reads, 0.99).toFixed(1)} ms, longest ${Math.max(...reads).toFixed(1)} ms`,
    );
    expect(percentile(reads, 0.99)).toBeLessThanOrEqual(LOCK_TIMEOUT_MS + TOLERANCE_MS);
    // They did wait behind the migration: else nothing was measured.
    expect(Math.max(...reads)).toBeGreaterThan(LOCK_TIMEOUT_MS / 2);
    const { rows } = await world.client.query(
      "select outcome, retries from nightshift.migration_step where number = 2 and kind = 'application'",
    );
    expect(rows).toEqual([{ outcome: 'failed', retries: 3 }]);
    await writer.query('rollback');
    await writer.end();
  });

  test('the writer ends while it is tried again: it is applied, and the record says after how many tries', async () => {
    await world.migrate('up', first);
    const writer = await world.cluster.client(world.dbname);
    await writer.query("begin; update public.busy set value = '' where id = 7");
    const logged: string[] = [];
    const running = world.migrate('up', FILES, { lockTimeoutMs: 200, lockAttempts: 10, logged });
    await expect
      .poll(() => logged.filter((name) => name === 'migrate.lock_not_gained').length, { timeout: 10_000 })
      .toBe(2);
    await writer.query('commit');

    await expect(running).resolves.toMatchObject({ status: 'done', current: 2 });

    const { rows } = await world.client.query(
      "select outcome, retries from nightshift.migration_step where number = 2 and kind = 'application'",
    );
    expect(rows).toEqual([{ outcome: 'done', retries: expect.any(Number) }]);
    expect(rows[0].retries).toBeGreaterThanOrEqual(2);
    await writer.end();
  });
});
