import { dirname } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type RehearsedStatement, rehearsalResultSchema } from '../../functions/migrate/rehearse/contract.ts';
import { rehearseMigrations, requireRehearsed } from '../../functions/migrate/rehearse/rehearse-migrations.ts';
import { productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

const SHOP = `create schema shop;
create table shop.customers (id bigint primary key, code varchar(20) not null, small int not null, note text);
create table shop.orders (id bigint primary key, customer_id bigint, state text, amount numeric(10,2));
create index orders_by_state on shop.orders (state);
create table shop.parts (at date not null) partition by range (at);
create table shop.parts_2024 partition of shop.parts for values from ('2024-01-01') to ('2025-01-01');
create materialized view shop.totals as select count(*)::int as n from shop.orders;
create unique index totals_n on shop.totals (n);
create view shop.names as select note from shop.customers;
`;

interface Form {
  sql: string;
  /** Of what it must say; locks on shop.* only. */
  expected: Partial<RehearsedStatement>;
}

const C = '"shop"."customers"';
const O = '"shop"."orders"';
const lock = (mode: string, table: string) => ({ mode, table });
const scan = (table: string, tuples = 20) => ({ table, tuples, passes: tuples / 20 });
const nothing = { rewritten: [], indexesBuilt: [], scanned: [], changed: [] };

/** Each in a file of its own, on what the ones before have left. */
const FORMS: readonly Form[] = [
  {
    sql: 'alter table shop.customers alter column code type varchar(40)',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', C)], expectedSeconds: 0 },
  },
  {
    sql: 'alter table shop.customers alter column small type bigint',
    expected: {
      locks: [lock('AccessExclusiveLock', C), lock('ShareLock', C)],
      rewritten: [C],
      indexesBuilt: [{ index: '"shop"."customers_pkey"', table: C }],
      changed: [],
    },
  },
  {
    sql: 'alter table shop.orders add constraint o_fk foreign key (customer_id) references shop.customers (id)',
    expected: {
      locks: [
        lock('AccessShareLock', C),
        lock('RowShareLock', C),
        lock('ShareRowExclusiveLock', C),
        lock('AccessShareLock', O),
        lock('ShareRowExclusiveLock', O),
      ],
      rewritten: [],
      scanned: [scan(C), scan(O)],
    },
  },
  {
    sql: 'alter table shop.orders drop constraint o_fk',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', C), lock('AccessExclusiveLock', O)] },
  },
  {
    sql: 'alter table shop.orders add constraint o_fk foreign key (customer_id) references shop.customers (id) not valid',
    expected: {
      ...nothing,
      locks: [
        lock('AccessShareLock', C),
        lock('ShareRowExclusiveLock', C),
        lock('AccessShareLock', O),
        lock('ShareRowExclusiveLock', O),
      ],
      expectedSeconds: 0,
    },
  },
  {
    sql: 'alter table shop.orders validate constraint o_fk',
    expected: {
      unit: 'validate constraint',
      locks: [
        lock('AccessShareLock', C),
        lock('RowShareLock', C),
        lock('AccessShareLock', O),
        lock('ShareUpdateExclusiveLock', O),
      ],
      rewritten: [],
      scanned: [scan(C), scan(O)],
    },
  },
  {
    sql: 'create index orders_by_amount on shop.orders (amount)',
    expected: {
      locks: [lock('ShareLock', O)],
      rewritten: [],
      indexesBuilt: [{ index: '"shop"."orders_by_amount"', table: O }],
      scanned: [scan(O)],
    },
  },
  {
    sql: 'create index concurrently orders_by_customer on shop.orders (customer_id)',
    expected: {
      unit: 'create index concurrently',
      locks: [lock('ShareUpdateExclusiveLock', O)],
      rewritten: [],
      indexesBuilt: [{ index: '"shop"."orders_by_customer"', table: O }],
      // Both passes of a concurrent build.
      scanned: [scan(O, 40)],
      changed: [],
    },
  },
  {
    sql: 'drop index concurrently shop.orders_by_customer',
    expected: { ...nothing, unit: 'drop index concurrently', locks: [lock('ShareUpdateExclusiveLock', O)] },
  },
  {
    sql: 'reindex index concurrently shop.orders_by_state',
    expected: {
      unit: 'reindex concurrently',
      locks: [lock('ShareUpdateExclusiveLock', O)],
      indexesBuilt: [{ index: '"shop"."orders_by_state"', table: O }],
      scanned: [scan(O, 40)],
    },
  },
  {
    sql: 'alter table shop.customers add column plain text',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', C)], expectedSeconds: 0 },
  },
  {
    sql: 'alter table shop.customers add column at timestamptz not null default now()',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', C)] },
  },
  {
    sql: 'alter table shop.customers add column random float not null default random()',
    expected: { locks: [lock('AccessExclusiveLock', C), lock('ShareLock', C)], rewritten: [C] },
  },
  {
    sql: 'alter table shop.orders alter column state set not null',
    expected: { locks: [lock('AccessExclusiveLock', O)], rewritten: [], scanned: [scan(O)] },
  },
  {
    sql: 'alter table shop.orders add constraint positive check (amount > 0)',
    expected: { locks: [lock('AccessExclusiveLock', O)], rewritten: [], scanned: [scan(O)] },
  },
  {
    sql: 'alter table shop.orders add constraint small_enough check (amount < 1000000) not valid',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', O)] },
  },
  {
    sql: "update shop.orders set state = state || '!'",
    expected: { rewritten: [], scanned: [scan(O)], changed: [{ table: O, rows: 20 }] },
  },
  {
    sql: 'update shop.orders set amount = 1 where id = 3',
    expected: { rewritten: [], scanned: [], changed: [{ table: O, rows: 1 }] },
  },
  {
    sql: 'alter table shop.orders set unlogged',
    expected: { locks: [lock('AccessExclusiveLock', O), lock('ShareLock', O)], rewritten: [O] },
  },
  {
    sql: 'vacuum shop.customers',
    expected: { ...nothing, unit: 'vacuum', locks: [lock('ShareUpdateExclusiveLock', C)] },
  },
  {
    sql: 'refresh materialized view concurrently shop.totals',
    expected: {
      unit: 'refresh materialized view concurrently',
      locks: expect.arrayContaining([lock('ExclusiveLock', '"shop"."totals"')]),
      rewritten: [],
    },
  },
  {
    sql: 'alter table shop.customers rename to clients',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', C)] },
  },
  {
    sql: 'drop table shop.clients cascade',
    expected: {
      rewritten: [],
      scanned: [],
      locks: expect.arrayContaining([
        lock('AccessExclusiveLock', '"shop"."clients"'),
        lock('AccessExclusiveLock', '"shop"."names"'),
      ]),
    },
  },
  {
    sql: 'truncate shop.orders',
    expected: { ...nothing, locks: [lock('AccessExclusiveLock', O), lock('ShareLock', O)], expectedSeconds: 0 },
  },
];

async function migrationsOf(statements: readonly string[]) {
  const files = statements.flatMap((sql, place) => {
    const number = String(place + 1).padStart(4, '0');
    return [
      [`${number}_form.up.sql`, sql],
      [`${number}_form.down.sql`, '-- nightshift: irreversible because it is a test\n'],
    ];
  });
  return await readMigrations(filesOfTest(Object.fromEntries(files)), true);
}

describe('rehearseMigrations', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let owner: Client;
  const clientDirectories = dirname(inject('cluster').clientDirectory);

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    owner = await cluster.client(dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));
    await owner.query(SHOP);
    await owner.query(
      "insert into shop.customers select n, n::text, n from generate_series(1, 50000) n; insert into shop.orders select n, n, 'new', n from generate_series(1, 100000) n",
    );
    await owner.query('analyze shop.customers, shop.orders');
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const rehearse = async (statements: readonly string[]) => {
    const migrations = await migrationsOf(statements);
    return await withScratchRun(
      cluster,
      dbname,
      async ({ context }) =>
        await rehearseMigrations(context, { migrations, clientDirectories, seeds: { of: () => undefined } }),
    );
  };

  test('statements of every form: their locks, rewrites, scans and changes are what the server does', async () => {
    const result = await rehearse(FORMS.map(({ sql }) => sql));

    expect(rehearsalResultSchema.parse(result)).toEqual(result);
    expect(result.files.map(({ problem }) => problem)).toEqual(FORMS.map(() => null));
    for (const [place, { sql, expected }] of FORMS.entries()) {
      expect({ sql, ...result.files[place]?.statements[0] }).toMatchObject({ sql, ...expected });
    }
    expect(result.tablesWithoutRows).toEqual([]);
    expect(result.notCopied).toEqual([]);
    expect(await scratchDatabases(cluster)).toEqual([]);
  }, 60_000);

  test('expected seconds: they grow with the live rows, and a rewrite takes longer than a change of the catalog', async () => {
    const { files } = await rehearse([
      'create index one on shop.orders (amount)',
      'create index two on shop.customers (small)',
      'alter table shop.orders alter column amount type text',
      'comment on table shop.orders is $$x$$',
      'create table shop.fresh as select * from shop.orders',
      'create index three on shop.fresh (id)',
    ]);

    const [one = 0, two = 0, rewrite = 0, comment, copy, unknown] = files.map(({ expectedSeconds }) => expectedSeconds);
    expect(one).toBeGreaterThan(0);
    expect((one ?? 0) / (two ?? 1)).toBeCloseTo(2, 0);
    expect(rewrite).toBeGreaterThan(0);
    expect(comment).toBe(0);
    expect(copy).toBeGreaterThan(0);
    // Nobody knows how large the table is that a pending file makes.
    expect(unknown).toBeNull();
  });

  test('a statement that fails: its place, what comes after it in its transaction, and the files that were not tried', async () => {
    const result = await rehearse([
      'create table shop.new (n int);\nalter table shop.new add column n int;\nalter table shop.new add column m int;',
      'select 1',
    ]);

    expect(result.files).toHaveLength(1);
    expect(result.files[0]?.statements.map(({ problem }) => problem)).toEqual([
      null,
      'SQLSTATE 42701: column "n" of relation "new" already exists',
      null,
    ]);
    expect(result.notRehearsed).toEqual(['migrations/0002_form.up.sql']);
    expect(() => requireRehearsed(result)).toThrow(/0001_form\.up\.sql:2: statement 2 .* SQLSTATE 42701/);
  });

  test('what the copy cannot have: it is named, and the rest is rehearsed', async () => {
    const superuser = await cluster.client(dbname);
    await superuser.query(`
      create extension postgres_fdw;
      create server elsewhere foreign data wrapper postgres_fdw options (host 'localhost');
      create foreign table public.far (n int) server elsewhere;
      create table public.hidden (n int);
      create function public.watch() returns event_trigger language plpgsql as $$ begin end $$;
      create event trigger watcher on ddl_command_end execute function public.watch();
    `);

    const result = await rehearse(['alter table shop.orders add column more int']);

    expect(result.files[0]).toMatchObject({ outcome: 'rehearsed' });
    const named = result.notCopied.map(({ what, reason }) => `${what}: ${reason}`).join('\n');
    expect(named).toMatch(/^table "public"\."hidden": nightshift_migrate may not read it$/m);
    expect(named).toMatch(/^CREATE EXTENSION IF NOT EXISTS postgres_fdw .*: SQLSTATE 42501: permission denied/m);
    expect(named).toMatch(/^CREATE SERVER elsewhere .*: it leads to another server/m);
    expect(named).toMatch(/^CREATE FOREIGN TABLE public\.far .*: it leads to another server/m);
    expect(named).toMatch(/^CREATE EVENT TRIGGER watcher .*: SQLSTATE 42501/m);
    await superuser.query(
      'drop event trigger watcher; drop function public.watch(); drop table public.hidden; drop extension postgres_fdw cascade',
    );
  });

  test('the sample migrations, pending on an empty database: rehearsed, and no role is left', async () => {
    const empty = await cluster.createDatabase();
    await cluster.bootstrap(empty);
    const migrations = await readMigrations(productFolder('migrations'), true);

    const result = await withScratchRun(
      cluster,
      empty,
      async ({ context }) => await rehearseMigrations(context, { migrations, clientDirectories }),
    );

    expect(result.files.map(({ outcome, problem }) => ({ outcome, problem }))).toEqual(
      migrations.map(() => ({ outcome: 'rehearsed', problem: null })),
    );
    const client = await cluster.client('postgres');
    expect((await client.query("select from pg_roles where rolname ~ '^app_'")).rowCount).toBe(0);
  });
});
