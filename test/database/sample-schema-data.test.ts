import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

const sampleSql = (name: string) => readFileSync(new URL(`../../local/sample-data/${name}`, import.meta.url), 'utf8');

describe('the sample data', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let client: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    await cluster.migrate(dbname, { action: 'up' });
    client = await cluster.client(dbname);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const fingerprint = async () =>
    (
      await client.query(
        "select md5(string_agg(id || username || email || password_hash || status || created_at || updated_at, '' order by id)) as md5 from app_schema.users",
      )
    ).rows[0]?.md5;

  test('the same number twice: the same users, each with its audit row, some past retention', async () => {
    await client.query('begin');
    await client.query(sampleSql('users.sql'), [3_000]);
    const first = await fingerprint();
    await client.query('rollback');

    await client.query(sampleSql('users.sql'), [3_000]);

    expect(await fingerprint()).toBe(first);
    const { rows } = await client.query(
      `select count(*)::int as users,
         count(*) filter (where exists (select from app_schema.user_audit a where a.user_id = u.id))::int as audited,
         count(*) filter (where status = 'inactive' and updated_at < now() - interval '7 years')::int as past,
         count(distinct created_at::date)::int > 300 as varied
       from app_schema.users u`,
    );
    expect(rows[0]).toMatchObject({ users: 3_000, audited: 3_000, varied: true });
    expect(rows[0]?.past).toBeGreaterThan(150);
  });

  test('the changes: some active users have an UPDATE in the audit trail, and updated_at moved', async () => {
    const { rowCount } = await client.query(sampleSql('user-changes.sql'));

    const { rows } = await client.query(
      `select count(*)::int as updates, count(*) filter (where u.updated_at > now() - interval '1 hour')::int as moved
       from app_schema.user_audit a join app_schema.users u on u.id = a.user_id where a.action = 'UPDATE'`,
    );
    expect(rowCount).toBeGreaterThan(200);
    expect(rows[0]).toEqual({ updates: rowCount, moved: rowCount });
  });

  test('the purge removes what is past retention: of each user only its key stays behind in the audit trail', async () => {
    const purge = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
    const policy = await purge.query(
      "select retention::text as retention, predicate from nightshift.retention_policy where name = 'inactive-users'",
    );
    expect(policy.rows).toEqual([{ retention: '7 years', predicate: "status = 'inactive'" }]);

    const { rowCount } = await purge.query(
      "delete from app_schema.users where status = 'inactive' and updated_at < now() - interval '7 years'",
    );
    await purge.end();

    const { rows } = await client.query(
      "select count(*)::int as deletes, count(old_values)::int + count(new_values)::int as copies, min(changed_by) as by from app_schema.user_audit where action = 'DELETE'",
    );
    expect(rows[0]).toEqual({ deletes: rowCount, copies: 0, by: 'nightshift_purge' });
  });

  test('the query of the brief: the composite index answers it', async () => {
    await client.query('analyze app_schema.users');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      "explain select id, username, email, status from app_schema.users where status = 'active' and created_at > now() - interval '30 days'",
    );

    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('idx_users_status_created_at');
  });
});
