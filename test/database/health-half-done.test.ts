// What health says of a migration that is half done, as its own role on a real server, before and after bootstrap.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { halfDoneMigration } from '../../functions/health/checks/half-done-migration.ts';
import { runHealth } from '../../functions/health/run-health.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';

let cluster: OwnCluster;
let dbname: string;
let client: Client;

beforeAll(async () => {
  cluster = await startOwnCluster();
  dbname = await cluster.createDatabase();
  client = await cluster.client(dbname);
});
afterAll(async () => await cluster.stop());

/** The answer of the check and the metrics of the run, as the given login. */
async function look(login: { user: string; password: string } = cluster.superuser) {
  const put: Record<string, number> = {};
  const database = cluster.database('health', dbname, login);
  try {
    const { checks } = await runHealth({
      database,
      tier: 'quarter-hour',
      checks: [halfDoneMigration],
      statementTimeoutMs: 5_000,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      metrics: { put: (name, value) => void (put[name] = value), flush: () => {} },
      clock: systemClock,
      signal: new AbortController().signal,
    });
    return { check: checks[0], put };
  } finally {
    await database.close();
  }
}

const asHealth = async () => await look({ user: 'nightshift_health', password: cluster.passwords.HEALTH_SECRET_ARN });

describe('the check half-done-migration', () => {
  test('schema nightshift is not there, then its table of an older version: unknown, run bootstrap, and no datapoint', async () => {
    const without = await look();
    await client.query('create schema nightshift');
    await client.query('create table nightshift.migration (kind text, number integer, name text)');
    const older = await look();
    await client.query('drop schema nightshift cascade');

    for (const { check, put } of [without, older]) {
      expect(check).toMatchObject({
        status: 'unknown',
        value: null,
        message: expect.stringContaining('run bootstrap'),
      });
      expect(put).not.toHaveProperty('MigrationHalfDoneHours');
    }
    expect(without.check?.message).toContain('42P01');
    expect(older.check?.message).toContain('42703');
  });

  test('bootstrap has run: ok with a datapoint of 0, although other files are applied', async () => {
    await cluster.bootstrap(dbname);

    const { check, put } = await asHealth();

    expect(check).toMatchObject({ status: 'ok', value: 0 });
    expect(put).toMatchObject({ MigrationHalfDoneHours: 0 });
  });

  test('a file stops in the middle: a warning, after its limit critical, with the hours as the metric; then up ends it', async () => {
    await client.query('grant create on schema public to nightshift_migrate');
    const files = {
      '0001_rows.up.sql':
        'create table public.rows (id int);\ncreate index concurrently rows_id on public.rows (id);\ninsert into public.rows select 1 / (select count(*) from public.switch);',
      '0001_rows.down.sql': 'drop table public.rows;',
    };
    await client.query('create table public.switch (id int)');
    await client.query('grant select on public.switch to nightshift_migrate');
    const up = async () => await cluster.migrate(dbname, { action: 'up' }, { folder: filesOfTest(files) });
    await expect(up()).rejects.toMatchObject({ code: 'migrate.statement_failed' });

    const soon = await asHealth();
    await client.query(
      "update nightshift.migration set half_done_since = now() - interval '7 hours' where state <> 'applied'",
    );
    const late = await asHealth();
    await client.query('insert into public.switch values (1)');
    await up();
    const over = await asHealth();

    expect(soon.check).toMatchObject({ status: 'warning', value: 0 });
    expect(late.check).toMatchObject({
      status: 'critical',
      value: 7,
      message: expect.stringContaining('migration 1 "rows" is half done (going up, 2 of its statements'),
    });
    expect(late.put).toMatchObject({ MigrationHalfDoneHours: 7, HealthCritical: 1 });
    expect(over.put).toMatchObject({ MigrationHalfDoneHours: 0 });
  });

  test('the role may not read the table: unknown, run bootstrap', async () => {
    await client.query('revoke select on nightshift.migration from nightshift_health');

    const { check, put } = await asHealth();

    expect(check?.status).toBe('unknown');
    expect(check?.message).toMatch(/permission denied .*; run bootstrap$/);
    expect(check?.fix).toBeNull();
    expect(put).not.toHaveProperty('MigrationHalfDoneHours');
  });
});
