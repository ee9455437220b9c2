import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

describe('the health views of schema nightshift', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let health: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster({
      shared_preload_libraries: 'pg_stat_statements',
      autovacuum: 'off',
      track_counts: 'on',
    });
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    health = await cluster.client(dbname, roleLogin(cluster, 'HEALTH_SECRET_ARN'));
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('pg_stat_statements is not installed: slow_queries says so with what to do', async () => {
    await expect(health.query('select * from nightshift.slow_queries')).rejects.toMatchObject({
      code: '42704',
      message: expect.stringContaining('extension pg_stat_statements is not installed'),
      hint: expect.stringContaining('create extension pg_stat_statements'),
    });
  });

  test('3: the columns total_time and mean_time: they do not exist; slow_queries shows a slow statement by the right ones', async () => {
    const superuser = await cluster.client(dbname);
    await superuser.query(
      'create schema tools; create extension pg_stat_statements with schema tools; grant usage on schema tools to nightshift_health',
    );
    await expect(superuser.query('select total_time, mean_time from tools.pg_stat_statements')).rejects.toMatchObject({
      code: '42703',
    });
    await superuser.query('select pg_sleep(0.15) as slow_one');

    const { rows } = await health.query(
      'select query, calls, total_exec_ms, mean_exec_ms from nightshift.slow_queries',
    );

    const slow = rows.find(({ query }) => String(query).includes('slow_one'));
    expect(slow?.calls).toBe('1');
    expect(slow?.mean_exec_ms).toBeGreaterThanOrEqual(150);
    await superuser.query('drop extension pg_stat_statements');
    await superuser.end();
  });

  test('a healthy database: every check is OK or says that it has no data', async () => {
    const { rows } = await health.query('select check_name, status, details from nightshift.check_database_health()');

    expect(rows.map(({ check_name }) => check_name)).toEqual(
      expect.arrayContaining([
        'connections',
        'idle_in_transaction',
        'long_transaction',
        'transaction_id_age',
        'dead_rows',
        'cache_hit',
      ]),
    );
    const bad = rows.filter(({ status, details }) => status !== 'OK' && !String(details).startsWith('no data yet'));
    expect(bad).toEqual([]);
  });

  test('a role without pg_read_all_stats asks: what it cannot see is UNKNOWN with the grant, never OK', async () => {
    const superuser = await cluster.client(dbname);
    await superuser.query("create role blind login password 'blind'");
    await superuser.query('grant usage on schema nightshift to blind');
    await superuser.query('grant execute on function nightshift.check_database_health() to blind');
    const blind = await cluster.client(dbname, { user: 'blind', password: 'blind' });

    const { rows } = await blind.query(
      "select status, value, details from nightshift.check_database_health() where check_name in ('long_transaction', 'idle_in_transaction')",
    );

    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toEqual({
        status: 'UNKNOWN',
        value: null,
        details: 'not readable for role "blind": grant pg_read_all_stats to it',
      });
    }
    await blind.end();
  });

  test('half of the rows of a large table are dead: dead_rows is CRITICAL and names the table', async () => {
    const superuser = await cluster.client(dbname);
    await superuser.query('create table public.churn as select i from generate_series(1, 20001) i');
    await superuser.query('delete from public.churn where i % 2 = 0');
    // A session hands its counts over when it ends.
    await superuser.end();

    await expect
      .poll(
        async () => {
          const { rows } = await health.query(
            "select status, details from nightshift.check_database_health() where check_name = 'dead_rows'",
          );
          return rows[0];
        },
        { timeout: 10_000 },
      )
      .toMatchObject({ status: 'CRITICAL', details: expect.stringContaining('public.churn') });
  });
});
