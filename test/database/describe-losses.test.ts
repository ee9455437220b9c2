import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeLosses } from '../../functions/migrate/describe-losses.ts';
import { lossSchema } from '../../functions/migrate/loss-contract.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

describe('describeLosses', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let owner: Client;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    owner = await cluster.client(dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));
    await owner.query(`
      create schema shop;
      create table shop.users (id bigint primary key, code varchar(20), at timestamptz, amount numeric(10,2), locked_until date);
      insert into shop.users
      select n, 'code-' || n, timestamptz '2024-01-01 00:00Z' + n % 2 * interval '1 hour', n % 4 * 0.25,
        case when n <= 1204 then date '2024-01-01' end
      from generate_series(1, 3000) n;
      create table shop.orders (id int primary key, user_id bigint references shop.users (id));
      insert into shop.orders select n, n from generate_series(1, 70) n;
      create table shop.secrets (id int);
      insert into shop.secrets values (1), (2);
      alter table shop.secrets enable row level security;
      alter table shop.secrets force row level security;
      create table shop.empty (id int);
    `);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const losses = async (down: string, statementTimeoutMs = 60_000) => {
    const files = filesOfTest({ '0001_x.up.sql': 'select 1;', '0001_x.down.sql': down });
    const migrations = await readMigrations(files, true);
    const database = cluster.database('migrate', dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));
    try {
      return await database.withSession(async (session) => {
        await session.query(`set statement_timeout = ${statementTimeoutMs}`);
        const found = await describeLosses(session, migrations);
        for (const loss of found) expect(lossSchema.parse(loss)).toEqual(loss);
        return found;
      });
    } finally {
      await database.close();
    }
  };

  test.each([
    [
      'alter table shop.users drop column locked_until',
      ['drops column shop.users.locked_until: 1,204 non-null values'],
    ],
    ['drop table shop.orders', ['drops table shop.orders: 70 rows']],
    ['drop table shop.empty', ['drops table shop.empty: 0 rows']],
    ['truncate shop.orders', ['empties table shop.orders: 70 rows']],
    ['truncate shop.users cascade', ['empties table shop.users: 3,000 rows', 'empties table shop.orders: 70 rows']],
    [
      'delete from shop.users u where u.id in (select n from generate_series(1, 10) n) returning id',
      ['deletes from shop.users: 10 rows'],
    ],
    ['delete from shop.users', ['deletes from shop.users: 3,000 rows']],
    ['delete from shop.users where id < 0', []],
    // 2000 codes are longer than 8 characters: code-1000 and above.
    [
      'alter table shop.users alter column code type varchar(8)',
      ['changes the type of column shop.users.code: 2,001 values become others'],
    ],
    ['alter table shop.users alter column code type varchar(9)', []],
    ['alter table shop.users alter column code type text', []],
    [
      'alter table shop.users alter column at type date',
      ['changes the type of column shop.users.at: 1,500 values become others'],
    ],
    [
      'alter table shop.users alter column amount type numeric(10,1)',
      ['changes the type of column shop.users.amount: 1,500 values become others'],
    ],
    [
      'drop schema shop cascade',
      [
        'drops table shop.empty: 0 rows',
        'drops table shop.orders: 70 rows',
        expect.stringMatching(
          /^drops table shop\.secrets: .*not counted: query would be affected by row-level security/,
        ),
        'drops table shop.users: 3,000 rows',
      ],
    ],
    ['drop index shop.nothing; drop function shop.no(); grant select on shop.users to nightshift_health', []],
    ['drop table shop.unknown', []],
  ])('%s: %j', async (down, expected) => {
    const found = await losses(`${down};`);

    expect(found.map(({ says }) => says)).toEqual(expected);
  });

  test('a value that does not convert: it is said without the value', async () => {
    const found = await losses('alter table shop.users alter column code type integer;');

    expect(found).toHaveLength(1);
    expect(found[0]?.says).toMatch(/ \(.*not counted: a value does not fit \(SQLSTATE 22P02\)\)$/);
    expect(JSON.stringify(found)).not.toContain('code-');
  });

  test('the count takes longer than the statement timeout: the estimate, and that it is one', async () => {
    await owner.query('create table shop.large (n int)');
    await owner.query('insert into shop.large select n from generate_series(1, 3000000) n');
    await owner.query('analyze shop.large');

    const found = await losses('drop table shop.large;', 20);

    expect(found[0]?.rows).toBeNull();
    expect(found[0]?.says).toMatch(
      /^drops table shop\.large: about [23],\d{3},\d{3} rows \(the server's estimate; not counted: it takes longer than the statement timeout\)$/,
    );
  });

  test('a DELETE with a join: the estimate of the planner', async () => {
    await owner.query('analyze shop.users, shop.orders');

    const found = await losses('delete from shop.orders o using shop.users u where u.id = o.user_id;');

    expect(found[0]).toMatchObject({ rows: null, estimatedRows: expect.any(Number) });
    expect(found[0]?.says).toContain("the server's estimate; not counted: it joins other tables");
  });

  test('rows that nobody has counted for statistics: no estimate of 0', async () => {
    await owner.query('create table shop.fresh (n int) with (autovacuum_enabled = off)');
    const client = await cluster.client(dbname);
    await client.query('insert into shop.fresh values (1)');
    await client.query("select pg_stat_reset_single_table_counters('shop.fresh'::regclass)");

    const found = await losses('drop table shop.fresh;');

    expect(found[0]).toMatchObject({ rows: 1, estimatedRows: null });
  });
});
