import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogSnapshot } from './catalog-snapshot.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';

describe('0001_initial_schema', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('up, down, up again: the catalog is as before, then as after the first up', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const client = await cluster.client(dbname);
    const before = await catalogSnapshot(client);

    await cluster.migrate(dbname, { action: 'up' });
    const up = await catalogSnapshot(client);
    await cluster.migrate(dbname, { action: 'down', to: 0, confirmLoss: true });
    const down = await catalogSnapshot(client);
    await cluster.migrate(dbname, { action: 'up' });
    const again = await catalogSnapshot(client);

    expect(down).toEqual(before);
    expect(again).toEqual(up);
    // The comparison would also be equal if the snapshot saw nothing of the schema.
    expect(up.filter((line) => !before.includes(line)).length).toBeGreaterThan(80);
    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });
  });

  test('up with rows in the tables, then down: the catalog is as before', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const client = await cluster.client(dbname);
    const before = await catalogSnapshot(client);
    await cluster.migrate(dbname, { action: 'up' });
    await client.query(
      "insert into app_schema.users (username, email, password_hash) values ('ada', 'ada@example.com', '$2b$12$' || repeat('x', 53))",
    );

    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });

    expect(await catalogSnapshot(client)).toEqual(before);
  });

  test('roles and pgcrypto were there before up: down leaves both, as they were', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const client = await cluster.client(dbname);
    await client.query('create role app_read_only nologin');
    await client.query('create extension pgcrypto');
    const before = await catalogSnapshot(client);

    await cluster.migrate(dbname, { action: 'up' });
    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });

    expect(await catalogSnapshot(client)).toEqual(before);
    await client.query('drop role app_read_only');
  });

  test('another database uses the application roles: down keeps the roles', async () => {
    const first = await cluster.createDatabase();
    const second = await cluster.createDatabase();
    await cluster.bootstrap(first);
    await cluster.bootstrap(second);
    await cluster.migrate(first, { action: 'up' });
    await cluster.migrate(second, { action: 'up' });

    await cluster.migrate(first, { action: 'down', confirmLoss: true });

    const client = await cluster.client(second);
    const { rows } = await client.query("select rolname from pg_roles where rolname ~ '^app_' order by 1");
    expect(rows.map(({ rolname }) => rolname)).toEqual(['app_admin', 'app_read_only', 'app_read_write']);
    await cluster.migrate(second, { action: 'down', confirmLoss: true });
    await cluster.migrate(first, { action: 'up' });
    await cluster.migrate(first, { action: 'down', confirmLoss: true });
  });

  test('somebody is a member of an application role: down keeps that role and the membership', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    await cluster.migrate(dbname, { action: 'up' });
    const client = await cluster.client(dbname);
    await client.query('create role web_service login');
    await client.query('grant app_read_write to web_service');

    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });

    const { rows } = await client.query("select pg_has_role('web_service', 'app_read_write', 'member') as member");
    expect(rows).toEqual([{ member: true }]);
    await client.query('drop role web_service');
    await client.query('drop role app_read_write');
  });

  test('a later object uses the users table: down fails with its place, and nothing is lost', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    await cluster.migrate(dbname, { action: 'up' });
    const client = await cluster.client(dbname);
    await client.query('create table public.orders (user_id uuid references app_schema.users (id))');
    const before = await catalogSnapshot(client);

    await expect(cluster.migrate(dbname, { action: 'down', confirmLoss: true })).rejects.toMatchObject({
      code: 'migrate.statement_failed',
      problem: expect.stringMatching(
        /0001_initial_schema\.down\.sql:11:1: statement 4 "drop table app_schema\.users" failed \(SQLSTATE 2BP01\)/,
      ),
    });

    expect(await catalogSnapshot(client)).toEqual(before);
    await client.query('drop table public.orders');
    await cluster.migrate(dbname, { action: 'down', confirmLoss: true });
  });
});
