// What health says of policies, what the last purges have left, the stop flag and personal data without a policy: as its own role
// on a real server, with runs as purge records them.
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { piiWithoutPolicy } from '../../functions/health/checks/pii-without-policy.ts';
import { purgeBacklog } from '../../functions/health/checks/purge-backlog.ts';
import { purgeLag } from '../../functions/health/checks/purge-lag.ts';
import { purgeStop } from '../../functions/health/checks/purge-stop.ts';
import { runHealth } from '../../functions/health/run-health.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';

const HOUR = 3_600;
const checks = [
  { ...purgeLag, thresholds: { ...purgeLag.thresholds, critical: 72 * HOUR } },
  { ...purgeBacklog, thresholds: { ...purgeBacklog.thresholds, warning: 100 } },
  purgeStop,
  piiWithoutPolicy,
];

let cluster: OwnCluster;
let dbname: string;
let client: Client;

beforeAll(async () => {
  cluster = await startOwnCluster();
  dbname = await cluster.createDatabase();
  client = await cluster.client(dbname);
  await client.query('create table public.orders (id bigint primary key, made_at timestamptz not null)');
});
afterAll(async () => await cluster.stop());

/** The answers by the id of the check, and the metrics of the run, as the role of health. */
async function look(login = { user: 'nightshift_health', password: cluster.passwords.HEALTH_SECRET_ARN }) {
  const put: Record<string, number> = {};
  const database = cluster.database('health', dbname, login);
  try {
    const result = await runHealth({
      database,
      tier: 'daily',
      checks,
      statementTimeoutMs: 5_000,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      metrics: { put: (name, value) => void (put[name] = value), flush: () => {} },
      clock: systemClock,
      signal: new AbortController().signal,
    });
    return { of: Object.fromEntries(result.checks.map((check) => [check.id, check])), put };
  } finally {
    await database.close();
  }
}

describe('before bootstrap', () => {
  test('schema nightshift is not there: every check is unknown and says to run bootstrap, and no figure has a datapoint', async () => {
    const { of, put } = await look(cluster.superuser);

    for (const { id } of checks)
      expect(of[id]).toMatchObject({
        status: 'unknown',
        value: null,
        message: expect.stringContaining('run bootstrap'),
      });
    expect(Object.keys(put).filter((name) => name.startsWith('Purge'))).toEqual([]);
  });
});

describe('after bootstrap', () => {
  beforeAll(async () => await cluster.bootstrap(dbname));
  beforeEach(async () => {
    await client.query(
      'truncate nightshift.retention_policy, nightshift.purge_run, nightshift.purge_stop, nightshift.data_classification',
    );
  });

  /** A policy that was last changed so many hours ago. */
  async function policy(name: string, hoursAgo: number, enabled = true) {
    // The trigger would write the time of now.
    await client.query('alter table nightshift.retention_policy disable trigger retention_policy_is_sensible');
    await client.query(
      `insert into nightshift.retention_policy
         (name, schema_name, table_name, timestamp_column, retention, action, archive_before_delete, enabled, reason, changed_at)
       values ($1, 'public', 'orders', 'made_at', '1 year', 'delete', false, $3, 'test', now() - $2 * interval '1 hour')`,
      [name, hoursAgo, enabled],
    );
    await client.query('alter table nightshift.retention_policy enable trigger retention_policy_is_sensible');
  }

  /** A run of a policy that began so many hours ago. */
  async function run(
    name: string,
    hoursAgo: number,
    {
      state = 'finished',
      left = null,
      held = 0,
    }: { state?: 'finished' | 'stopped' | 'running'; left?: number | null; held?: number } = {},
  ) {
    await client.query(
      `insert into nightshift.purge_run
         (policy, request_id, action, schema_name, table_name, cutoff, state, started_at, finished_at, rows_left, rows_held)
       values ($1, 'r', 'delete', 'public', 'orders', now() - interval '1 year', $3, now() - $2 * interval '1 hour',
         case when $3 <> 'running' then now() end, $4, $5)`,
      [name, hoursAgo, state, left, held],
    );
  }

  test('no policy is enabled: 0 and 0, which are datapoints', async () => {
    await policy('disabled', 9_000, false);

    const { of, put } = await look();

    for (const id of ['purge-lag', 'purge-backlog', 'purge-stop', 'pii-without-policy'])
      expect(of[id]).toMatchObject({ status: 'ok', value: 0 });
    expect(put).toMatchObject({ PurgeLagSeconds: 0, PurgeBacklogRows: 0 });
  });

  test('two policies were finished at different times: the lag is that since the older one began, and unfinished runs do not count', async () => {
    await policy('fresh', 500);
    await policy('stale', 500);
    await run('fresh', 4, { left: 0 });
    await run('stale', 80, { left: 0 });
    await run('stale', 2, { state: 'stopped' });
    await run('stale', 1, { state: 'running' });

    const { of, put } = await look();

    expect(of['purge-lag']).toMatchObject({ status: 'critical', message: expect.stringContaining('policy "stale"') });
    expect(put['PurgeLagSeconds']).toBeGreaterThanOrEqual(80 * HOUR);
    expect(put['PurgeLagSeconds']).toBeLessThan(80 * HOUR + 60);
  });

  test.each([
    ['it is new and was never purged', undefined, 'first finished purge'],
    ['it was changed since its last run', 100, 'waits longest'],
  ])('%s: the lag is that since it was changed', async (_, hoursAgo, words) => {
    await policy('changed', 10);
    if (hoursAgo !== undefined) await run('changed', hoursAgo, { left: 0 });

    const { of, put } = await look();

    expect(of['purge-lag']).toMatchObject({ status: 'ok', message: expect.stringContaining(words) });
    expect(put['PurgeLagSeconds']).toBeGreaterThanOrEqual(10 * HOUR);
    expect(put['PurgeLagSeconds']).toBeLessThan(10 * HOUR + 60);
  });

  test('rows are left by the newest counted runs: their sum without held ones, of enabled policies only', async () => {
    await policy('a', 500);
    await policy('b', 500);
    await policy('held', 500);
    await policy('uncounted', 500);
    await policy('disabled', 500, false);
    await run('a', 30, { left: 9_999 });
    await run('a', 6, { left: 70, held: 20 });
    // Not counted yet: what the run before has counted is known.
    await run('a', 1, { state: 'running' });
    await run('b', 6, { left: 60 });
    await run('held', 6, { left: 5, held: 9 });
    await run('uncounted', 6, { state: 'stopped' });
    await run('disabled', 6, { left: 1_000_000 });

    const { of, put } = await look();

    expect(put).toMatchObject({ PurgeBacklogRows: 110 });
    expect(of['purge-backlog']).toMatchObject({
      status: 'warning',
      value: 110,
      message: expect.stringContaining('most by policy "b" (60); of 1 of 4 policies no purge has counted yet'),
    });
  });

  test('a stop flag: ok on the first day, then a warning, and ok again once it is lifted by the SQL of the check', async () => {
    const flag =
      "insert into nightshift.purge_stop (reason, placed_at) values ('test', now() - $1 * interval '1 hour')";
    await client.query(flag, [2]);
    const soon = await look();
    await client.query(flag, [25]);
    const late = await look();
    await client.query(late.of['purge-stop']?.fix ?? '');
    const lifted = await look();

    expect(soon.of['purge-stop']).toMatchObject({ status: 'ok', value: 2, fix: null });
    expect(late.of['purge-stop']).toMatchObject({ status: 'warning', value: 25 });
    expect(lifted.of['purge-stop']).toMatchObject({ status: 'ok', value: 0 });
  });

  test('a table with classified personal data: a warning until a policy is enabled for it', async () => {
    const classify =
      "insert into nightshift.data_classification values ('public', 'orders', $1, 'RESTRICTED', $2, 1, false)";
    await client.query(classify, ['id', null]);
    const without = await look();
    await client.query(classify, ['made_at', 'behaviour']);
    await policy('disabled', 1, false);
    const found = await look();
    await policy('enabled', 1);
    const covered = await look();

    expect(without.of['pii-without-policy']).toMatchObject({ status: 'ok', value: 0 });
    expect(found.of['pii-without-policy']).toMatchObject({
      status: 'warning',
      value: 1,
      message: expect.stringContaining('table "public.orders" has classified personal data (made_at)'),
    });
    expect(covered.of['pii-without-policy']).toMatchObject({ status: 'ok', value: 0 });
  });

  test('the role may not read the runs: unknown, run bootstrap, and no datapoint', async () => {
    await client.query('revoke select on nightshift.purge_run from nightshift_health');

    const { of, put } = await look();

    for (const id of ['purge-lag', 'purge-backlog'])
      expect(of[id]).toMatchObject({
        status: 'unknown',
        message: expect.stringMatching(/permission denied .*; run bootstrap$/),
      });
    expect(Object.keys(put).filter((name) => name.startsWith('Purge'))).toEqual([]);
  });
});
