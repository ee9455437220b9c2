// The health checks on a real server, with each status really provoked.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { allChecks } from '../../functions/health/all-checks.ts';
import type { CheckDefinition, Thresholds } from '../../functions/health/check-definition.ts';
import { blocking } from '../../functions/health/checks/blocking.ts';
import { connections } from '../../functions/health/checks/connections.ts';
import { idleInTransaction } from '../../functions/health/checks/idle-in-transaction.ts';
import { invalidIndexes } from '../../functions/health/checks/invalid-indexes.ts';
import { longTransactions } from '../../functions/health/checks/long-transactions.ts';
import { oldestXmin } from '../../functions/health/checks/oldest-xmin.ts';
import { sequences } from '../../functions/health/checks/sequences.ts';
import { healthResult } from '../../functions/health/contract.ts';
import { runHealth } from '../../functions/health/run-health.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { Database } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { sqlFolder } from '../../functions/shared/sql-files.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

describe('runHealth', () => {
  let fresh: FreshDatabase;
  let database: Database;
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-health-'));
  const role = { user: `health_${randomBytes(6).toString('hex')}`, password: 'only-in-this-test' };

  beforeAll(async () => {
    fresh = await createFreshDatabase();
    database = fresh.database('health', undefined, { lockTimeoutMs: 100 });
    await fresh.query(`create role ${role.user} login password '${role.password}'`);
  });
  afterEach(async () => {
    await fresh.query(`revoke pg_monitor from ${role.user}`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await database.close();
    await fresh.query(`drop owned by ${role.user}`);
    await fresh.query(`drop role ${role.user}`);
    await fresh.drop();
  });

  /** A check whose SQL is the given text. */
  function checkWith(id: string, sql: string): CheckDefinition {
    writeFileSync(join(folder, `${id}.sql`), sql);
    const file = relative(sqlFolder('health'), join(folder, `${id}.sql`));
    return { ...connections, id, sql: [{ sinceMajor: 14, file }] };
  }

  /** Sessions of other test files are on the server too and may for a while be the worst: waits until this one is. */
  async function lookUntil(check: CheckDefinition, named: string) {
    let result = await look([check]);
    await expect
      .poll(
        async () => {
          result = await look([check]);
          return result.first?.message;
        },
        { timeout: 25_000, interval: 200 },
      )
      .toContain(named);
    return result.first;
  }

  /** The error arrives before the server has cleared the progress of the build: waits for the session itself. */
  async function failToBuild(statement: string) {
    await expect(fresh.query(statement)).rejects.toThrow(/could not create unique index|division by zero/);
    await fresh.query('select 1');
  }

  const waiters = async () =>
    (await fresh.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"))
      .rowCount;

  async function look(
    checks: readonly CheckDefinition[],
    more: { tier?: 'minute' | 'daily'; from?: Database; statementTimeoutMs?: number } = {},
  ) {
    const metrics: Record<string, number> = {};
    const running = runHealth({
      database: more.from ?? database,
      tier: more.tier ?? 'minute',
      checks,
      statementTimeoutMs: more.statementTimeoutMs ?? 30_000,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      metrics: { put: (name, value) => void (metrics[name] = value), flush: () => {} },
      clock: systemClock,
      signal: new AbortController().signal,
    });
    // Also after a failure, and before the file ends: the server needs a moment to let a session go.
    await running.catch(() => {});
    await more.from?.close();
    const result = await running;
    return { result, metrics, first: result.checks[0] };
  }

  const reach = (warning: number | null, critical: number | null): Thresholds => ({
    warning,
    critical,
    source: 'this test',
  });

  test('a server at rest: every check of the daily tier looks, and the answer fits its contract', async () => {
    const { result, metrics } = await look(allChecks, { tier: 'daily' });

    expect(
      healthResult
        .parse(result)
        .checks.map(({ id }) => id)
        .toSorted(),
    ).toEqual(allChecks.map(({ id }) => id).toSorted());
    // Bootstrap has not run here.
    const blind = allChecks.filter(({ needs }) => needs === 'bootstrap').map(({ id }) => id);
    expect(result.checks.filter(({ status }) => status === 'unknown').map(({ id }) => id)).toEqual(blind);
    expect(result.counts.ok + result.counts.warning + result.counts.critical).toBe(allChecks.length - blind.length);
    expect(metrics).toEqual({
      HealthCritical: result.counts.critical,
      HealthWarning: result.counts.warning,
      HealthUnknown: blind.length,
    });
  });

  test('a session is idle in a transaction: warning, then critical, with its pid, application and the SQL that ends it', async () => {
    const client = await fresh.client();
    await client.query("set application_name = 'forgetful'");
    await client.query('begin');
    await client.query('select 1');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');

    const warning = await lookUntil({ ...idleInTransaction, thresholds: reach(0, 900) }, 'application "forgetful"');
    const critical = await lookUntil({ ...idleInTransaction, thresholds: reach(0, 0) }, `pid ${rows[0]?.pid} `);
    await client.query('rollback');
    const after = await look([idleInTransaction]);

    expect(warning?.status).toBe('warning');
    expect(critical?.status).toBe('critical');
    expect(critical?.fix).toContain(`pg_terminate_backend(${rows[0]?.pid})`);
    expect(after.first?.status).toBe('ok');
  });

  test('a transaction is open for long: named; the same in the backup of Nightshift: not counted', async () => {
    const client = await fresh.client();
    await client.query("set application_name = 'batch'");
    await client.query('begin');
    await client.query('select 1');

    const named = await lookUntil({ ...longTransactions, thresholds: reach(0, null) }, 'application "batch"');
    await client.query("set application_name = 'nightshift/backup'");
    const backup = await look([{ ...longTransactions, thresholds: reach(0, null) }]);
    await client.query('rollback');

    expect(named?.status).toBe('warning');
    expect(backup.first?.message).not.toContain('nightshift/backup');
  });

  test('a snapshot is held while transactions go on: its holder and its age are told', async () => {
    const client = await fresh.client();
    await client.query("set application_name = 'historian'");
    await client.query('begin isolation level repeatable read');
    await client.query('select 1');
    await fresh.query('create table passing_time (id int)');
    for (let count = 0; count < 5; count += 1) await fresh.query('insert into passing_time values (1)');

    const held = await lookUntil({ ...oldestXmin, thresholds: reach(5, null) }, 'application "historian"');
    await client.query('rollback');

    expect(held?.status).toBe('warning');
    expect(held?.value).toBeGreaterThanOrEqual(5);
  });

  test('a prepared transaction holds vacuum back: it is named with the SQL that ends it', async () => {
    const gid = `forgotten ${fresh.name}`;
    await fresh.query('create table prepared_rows (id int)');
    await fresh.query('begin');
    await fresh.query('insert into prepared_rows values (1)');
    await fresh.query(`prepare transaction '${gid}'`);
    for (let count = 0; count < 3; count += 1) await fresh.query('select pg_current_xact_id()');

    const held = await lookUntil({ ...oldestXmin, thresholds: reach(1, null) }, `prepared transaction "${gid}"`);
    await fresh.query(`rollback prepared '${gid}'`);

    expect(held?.status).toBe('warning');
    expect(held?.fix).toContain('rollback prepared');
  });

  test('a session waits for a lock: the root of the queue is named, not the one before it', async () => {
    await fresh.query('create table contended (id int primary key)');
    const [root, middle, last] = [await fresh.client(), await fresh.client(), await fresh.client()];
    await root.query("set application_name = 'root'");
    await root.query('begin');
    await root.query('lock table contended in access exclusive mode');
    await middle.query('begin');
    const waiting = middle.query('lock table contended in share mode');
    await expect.poll(waiters).toBe(1);
    const waitingToo = last.query('select from contended');
    await expect.poll(waiters).toBe(2);

    const found = await lookUntil({ ...blocking, thresholds: reach(0, 120) }, 'application "root"');
    await root.query('rollback');
    await waiting;
    await middle.query('rollback');
    await waitingToo;

    expect(found?.status).toBe('warning');
    expect(found?.message).toMatch(/^2 sessions wait/);
  });

  test('CREATE UNIQUE INDEX CONCURRENTLY fails: the invalid index is critical, a plain one a warning, a dropped one ok', async () => {
    await fresh.query('create table doubled as select 1 as id from generate_series(1, 2)');
    await failToBuild('create unique index concurrently doubled_key on doubled (id)');

    const unique = await look([invalidIndexes]);
    await fresh.query('drop index doubled_key');
    await failToBuild('create index concurrently doubled_idx on doubled ((1 / (id - 1)))');
    const plain = await look([invalidIndexes]);
    await fresh.query('drop index doubled_idx');
    const none = await look([invalidIndexes]);

    expect(unique.first?.status).toBe('critical');
    expect(unique.first?.message).toContain('"public.doubled_key" on table "doubled"');
    expect(unique.first?.fix).toContain('reindex index concurrently "public"."doubled_key"');
    expect(plain.first?.status).toBe('warning');
    expect(none.first?.status).toBe('ok');
  });

  test('CREATE INDEX CONCURRENTLY is at work: its index is not called invalid', async () => {
    await fresh.query('create table being_indexed as select 1 as id');
    const [writer, builder] = [await fresh.client(), await fresh.client()];
    await writer.query('begin');
    await writer.query('insert into being_indexed values (2)');
    const building = builder.query('create index concurrently being_indexed_idx on being_indexed (id)');
    const invalid = "select from pg_index where not indisvalid and indrelid = 'being_indexed'::regclass";
    await expect.poll(async () => (await fresh.query(invalid)).rowCount).toBe(1);

    const during = await look([invalidIndexes]);
    await writer.query('commit');
    await building;

    expect(during.first?.status).toBe('ok');
  });

  test('a bigint sequence feeds an integer column and is nearly full: critical, although its own range is empty', async () => {
    await fresh.query("create sequence wide_seq; create table narrow (id int default nextval('wide_seq'))");
    await fresh.query("select setval('wide_seq', 2000000000)");

    const found = await look([sequences], { tier: 'daily' });
    await fresh.query("select setval('wide_seq', 1600000000)");
    const warning = await look([sequences], { tier: 'daily' });
    await fresh.query('drop table narrow; drop sequence wide_seq');

    expect(found.first).toMatchObject({ status: 'critical', value: 93.1 });
    expect(found.first?.message).toContain('public.narrow.id of type integer');
    expect(warning.first?.status).toBe('warning');
  });

  test('sequences that count down, start below zero or begin again: judged by what they can still give', async () => {
    await fresh.query('create sequence down_seq increment -1 minvalue -100 maxvalue -1 start -1');
    await fresh.query('create sequence negative_seq as int minvalue -2147483648 start -2147483648');
    await fresh.query('create sequence round_seq maxvalue 10 cycle');
    await fresh.query("select setval('down_seq', -81), setval('negative_seq', -1), setval('round_seq', 10)");

    const found = await look([sequences], { tier: 'daily' });
    await fresh.query("select setval('down_seq', -2)");
    const rest = await look([sequences], { tier: 'daily' });
    await fresh.query('drop sequence down_seq, negative_seq, round_seq');

    expect(found.first).toMatchObject({ status: 'warning', value: 80.8 });
    expect(rest.first).toMatchObject({ status: 'ok', value: 50 });
  });

  test('the role may not read a sequence: unknown with the GRANT; after the GRANT: ok', async () => {
    await fresh.query('create schema "Odd schema"; create sequence "Odd schema".hidden_seq');
    const from = fresh.database('health', role);

    const blind = await look([sequences], { tier: 'daily', from });
    const grant = blind.first?.fix?.split(' --')[0] ?? '';
    await fresh.query(grant);
    const seeing = await look([sequences], { tier: 'daily', from });
    await fresh.query('drop schema "Odd schema" cascade');

    expect(blind.first).toMatchObject({ status: 'unknown', value: null });
    expect(grant).toBe(`grant select on all sequences in schema "Odd schema" to "${role.user}";`);
    expect(seeing.first?.status).toBe('ok');
  });

  test('the role is not in pg_monitor: what it cannot see is unknown with the GRANT, the other checks go on', async () => {
    const from = fresh.database('health', role);
    // Bootstrap has not run here: see health-half-done.test.ts.
    const checks = allChecks.filter(({ needs }) => needs !== 'bootstrap');

    const blind = await look(checks, { tier: 'daily', from });
    await fresh.query(blind.result.checks.find(({ id }) => id === 'connections')?.fix?.split(' --')[0] ?? '');
    const seeing = await look(checks, { tier: 'daily', from });

    const unknown = blind.result.checks.filter(({ status }) => status === 'unknown');
    expect(unknown.map(({ id }) => id).toSorted()).toEqual([
      'blocking',
      'connections',
      'idle-in-transaction',
      'invalid-indexes',
      'long-transactions',
      'oldest-xmin',
    ]);
    expect(unknown.every(({ fix }) => fix === `grant pg_monitor to "${role.user}"; -- lock: none`)).toBe(true);
    expect(blind.result.checks.find(({ id }) => id === 'transaction-id-age')?.status).toBe('ok');
    expect(blind.metrics['HealthUnknown']).toBe(6);
    expect(seeing.result.counts.unknown).toBe(0);
  });

  test('a sequence is locked: the check gives up after the lock timeout and after the statement timeout, unknown both times', async () => {
    await fresh.query('create sequence locked_seq');
    const holder = await fresh.client();
    await holder.query('begin');
    await holder.query('alter sequence locked_seq increment 2');

    const lockTimeout = await look([sequences, connections], { tier: 'daily' });
    const patient = fresh.database('health', undefined, { lockTimeoutMs: 20_000 });
    const cancelled = await look([sequences], { tier: 'daily', from: patient, statementTimeoutMs: 150 });
    await holder.query('rollback');
    await fresh.query('drop sequence locked_seq');

    const locked = lockTimeout.result.checks.find(({ id }) => id === 'sequences');
    expect(locked).toMatchObject({ status: 'unknown', value: null });
    expect(locked?.message).toContain('SQLSTATE 55P03');
    expect(lockTimeout.result.checks.find(({ id }) => id === 'connections')?.status).not.toBe('unknown');
    expect(cancelled.first?.status).toBe('unknown');
    expect(cancelled.first?.message).toContain('150 ms');
  });

  test('a check names a relation that this version does not have: unknown, and the one after it answers', async () => {
    const broken = checkWith('broken', 'select 1::float8 as value from pg_stat_nothing');

    const { result } = await look([broken, connections]);

    const found = result.checks.find(({ id }) => id === 'broken');
    expect(found?.status).toBe('unknown');
    expect(found?.message).toContain('SQLSTATE 42P01');
    expect(result.checks.find(({ id }) => id === 'connections')?.status).not.toBe('unknown');
  });

  test('a check tries to write: the session is read-only, so it is unknown and nothing is written', async () => {
    await fresh.query('create table public.untouched (id int)');

    const { first } = await look([checkWith('writes', 'insert into public.untouched values (1)')]);
    const { rowCount } = await fresh.query('select from untouched');

    expect(first?.message).toContain('SQLSTATE 25006');
    expect(rowCount).toBe(0);
  });

  test('the server ends the session in the middle of a check: the run throws, so that no half result counts', async () => {
    const slow = checkWith('slow', 'select 1::float8 as value from pg_sleep(10)');
    const from = fresh.database('health');
    const running = look([slow], { from });
    running.catch(() => {});
    const find =
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(10)%' and pid <> pg_backend_pid()";
    await expect.poll(async () => (await fresh.query(find)).rowCount).toBe(1);

    await expect(running).rejects.toMatchObject({ code: 'health.unreadable' });
  });

  test('the password is wrong: the run throws before any check', async () => {
    const from = fresh.database('health', { user: role.user, password: 'wrong' });

    const failure = await look(allChecks, { from }).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(JobFailure);
    expect(failure).toMatchObject({ code: 'database.login_refused' });
  });
});
