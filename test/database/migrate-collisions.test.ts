import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import type { ChildArguments } from './migrate-in-a-child.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';

describe('migrate beside others', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let client: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  beforeEach(async () => {
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    client = await cluster.client(dbname);
    await client.query('grant create on schema public to nightshift_migrate');
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const slow = filesOfTest({
    '0001_slow.up.sql': 'create table public.slow (id int);\nselect pg_sleep(1);',
    '0001_slow.down.sql': 'drop table public.slow;',
  });
  const state = async () =>
    (
      await client.query(
        `select (select count(*)::int from nightshift.migration where kind = 'application') as applied,
           (select count(*)::int from nightshift.migration_step where kind = 'application' and outcome = 'done') as done,
           (select count(*)::int from nightshift.migration_step where kind = 'application' and outcome = 'failed') as failed,
           to_regclass('public.slow') is not null as there`,
      )
    ).rows[0];
  const backend = async () => {
    for (;;) {
      const { rows } = await client.query<{ pid: number }>(
        "select pid from pg_stat_activity where datname = $1 and application_name = 'nightshift/migrate' and query like '%pg_sleep%'",
        [dbname],
      );
      if (rows[0]) return rows[0].pid;
      await sleep(20);
    }
  };

  test('two runs at once: one applies, the other is refused with the holder', async () => {
    const first = cluster.migrate(dbname, { action: 'up' }, { folder: slow });
    const pid = await backend();

    await expect(cluster.migrate(dbname, { action: 'up' }, { folder: slow })).rejects.toMatchObject({
      code: 'job.locked',
      problem: expect.stringContaining(`pid ${pid} ("nightshift/migrate", role "nightshift_migrate", exclusive`),
      safeState: 'No migration was run',
    });
    await first;

    expect(await state()).toEqual({ applied: 1, done: 2, failed: 0, there: true });
  });

  test('a backup runs: migrate is refused with it as the holder; status still answers', async () => {
    const backup = cluster.database('backup', dbname, cluster.superuser);
    await backup.withSession(async (session) => {
      await session.query("select pg_advisory_lock_shared(hashtextextended('nightshift:schema', 0))");

      await expect(cluster.migrate(dbname, { action: 'up' }, { folder: slow })).rejects.toMatchObject({
        code: 'job.locked',
        problem: expect.stringContaining('"nightshift/backup"'),
      });
      expect((await cluster.migrate(dbname, { action: 'status' }, { folder: slow })).pending).toHaveLength(1);
      await session.query('select pg_advisory_unlock_all()');
    });
    await backup.close();
  });

  test('the lock is passed by: the history row decides, the later run fails before it changes anything', async () => {
    const rival = await cluster.client(dbname);
    await rival.query('begin');
    await rival.query(
      `insert into nightshift.migration (kind, number, name, checksum, requested_by, request_id)
       values ('application', 1, 'slow', repeat('0', 64), 'rival', 'r')`,
    );

    const late = cluster.migrate(dbname, { action: 'up' }, { folder: slow, lockTimeoutMs: 500 });

    await expect(late).rejects.toMatchObject({
      code: 'job.locked',
      problem: 'migration 1 "slow" is being applied or was applied by another run',
    });
    expect((await client.query("select to_regclass('public.slow') as slow")).rows).toEqual([{ slow: null }]);
    await rival.query('rollback');
    await rival.end();
  });

  test('the session is ended between two statements: nothing is applied, the failure is recorded by another session', async () => {
    const running = cluster.migrate(dbname, { action: 'up' }, { folder: slow });
    await client.query('select pg_terminate_backend($1)', [await backend()]);

    await expect(running).rejects.toMatchObject({ code: 'migrate.statement_failed' });

    expect(await state()).toEqual({ applied: 0, done: 0, failed: 1, there: false });
    await cluster.migrate(dbname, { action: 'up' }, { folder: slow });
    expect(await state()).toEqual({ applied: 1, done: 2, failed: 1, there: true });
  });

  test('the process of migrate is killed during the second file: the first stays applied, of the second nothing is left', async () => {
    const files = {
      '0001_first.up.sql': 'create table public.first (id int);',
      '0001_first.down.sql': 'drop table public.first;',
      '0002_slow.up.sql': 'create table public.slow (id int);\nselect pg_sleep(600);',
      '0002_slow.down.sql': 'drop table public.slow;',
    };
    const { host, port, caFile } = cluster.place;
    const password = cluster.passwords.MIGRATE_SECRET_ARN;
    const child = spawn(process.execPath, [
      fileURLToPath(new URL('migrate-in-a-child.ts', import.meta.url)),
      JSON.stringify({ host, port, caFile, dbname, password, files } satisfies ChildArguments),
    ]);
    const gone = once(child, 'exit');
    const pid = await backend();

    child.kill('SIGKILL');
    await gone;

    // The server looks every 2 s whether its client is still there (client_connection_check_interval).
    await expect
      .poll(async () => (await client.query('select 1 from pg_stat_activity where pid = $1', [pid])).rowCount, {
        timeout: 10_000,
      })
      .toBe(0);
    expect(await state()).toEqual({ applied: 1, done: 1, failed: 0, there: false });
    const status = await cluster.migrate(dbname, { action: 'status' }, { folder: filesOfTest(files) });
    expect(status).toMatchObject({ current: 1, pending: [{ number: 2, name: 'slow' }] });
  });

  test('the job runs out of time during a statement: it is cancelled, rolled back, recorded, and the reason is the time', async () => {
    const long = filesOfTest({
      '0001_slow.up.sql': 'create table public.slow (id int);\nselect pg_sleep(30);',
      '0001_slow.down.sql': 'drop table public.slow;',
    });
    const controller = new AbortController();
    const running = cluster.migrate(dbname, { action: 'up' }, { folder: long, signal: controller.signal });
    await backend();
    const late = new JobFailure({
      code: 'job.out_of_time',
      problem: 'too late',
      safeState: 'undone',
      hint: 'more time',
    });

    controller.abort(late);

    await expect(running).rejects.toBe(late);
    expect(await state()).toEqual({ applied: 0, done: 0, failed: 1, there: false });
  });

  test('a table is locked by somebody: the statement fails after lock_timeout and names who holds it', async () => {
    const files = filesOfTest({
      '0001_a.up.sql': 'create table public.busy (id int);',
      '0001_a.down.sql': 'drop table public.busy;',
      '0002_b.up.sql': 'alter table public.busy add column x int;',
      '0002_b.down.sql': 'alter table public.busy drop column x;',
    });
    await cluster.migrate(dbname, { action: 'up', to: 1 }, { folder: files });
    const reader = await cluster.client(dbname);
    await reader.query("begin; select * from public.busy where id <> 4711 and 'secret' <> ''");

    const blocked = cluster.migrate(dbname, { action: 'up' }, { folder: files, lockTimeoutMs: 900 });

    await expect(blocked).rejects.toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringMatching(
        /\(SQLSTATE 55P03\).*; the lock was held by pid \d+ \("test", transaction open for \d+ s, idle in transaction, last statement: begin; select \* from public\.busy where id <> \$1 and \$2 <> \$3\)$/,
      ),
    });
    const { rows } = await client.query(
      "select lock_wait_ms, sqlstate from nightshift.migration_step where outcome = 'failed'",
    );
    expect(rows).toEqual([{ lock_wait_ms: expect.any(Number), sqlstate: '55P03' }]);
    expect(rows[0].lock_wait_ms).toBeGreaterThanOrEqual(200);
    await reader.query('rollback');
    await reader.end();
  });

  test('a statement waits for a lock and then gets it: the step says for how long', async () => {
    const files = filesOfTest({
      '0001_a.up.sql': 'lock table public.queue;',
      '0001_a.down.sql': 'select 1;',
    });
    await client.query('create table public.queue (id int); grant all on public.queue to nightshift_migrate');
    const reader = await cluster.client(dbname);
    await reader.query('begin; select * from public.queue');
    const running = cluster.migrate(dbname, { action: 'up' }, { folder: files, lockTimeoutMs: 10_000 });
    await sleep(900);
    await reader.query('rollback');
    await running;

    const { rows } = await client.query(
      "select lock_wait_ms from nightshift.migration_step where kind = 'application'",
    );

    expect(rows[0].lock_wait_ms).toBeGreaterThanOrEqual(200);
    await reader.end();
  });
});
