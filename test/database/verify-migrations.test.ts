import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../functions/migrate/verify/contract.ts';
import { requireCertified, verifyMigrations } from '../../functions/migrate/verify/verify-migrations.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

type Pair = readonly [name: string, up: string, down: string];

/** What all pairs build on. */
const BASE: Pair = [
  'base',
  `create schema shop;
create type shop.mood as enum ('sad', 'ok', 'happy');
create table shop.customers (
  id bigint generated always as identity primary key,
  name text not null,
  mood shop.mood not null default 'ok',
  note text,
  country varchar(2) not null default 'GR' check (country ~ '^[A-Z]{2}$')
);
create table shop.orders (
  id bigint primary key,
  customer_id bigint not null references shop.customers (id),
  amount numeric(10,2) not null check (amount >= 0),
  state text not null check (state in ('new', 'paid'))
);
create index orders_by_customer on shop.orders (customer_id);
create sequence shop.numbers owned by shop.orders.id;
comment on table shop.orders is 'What was ordered; kept for ever';
create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger orders_touch before update on shop.orders for each row execute function shop.touch();
alter table shop.orders enable row level security;
create policy own on shop.orders for select to nightshift_health using (true);
grant select on shop.orders to nightshift_health;
`,
  `drop table shop.orders;
drop table shop.customers;
drop function shop.touch();
drop type shop.mood;
drop schema shop;
`,
];

/** Each down forgets one thing; the difference that must be named. */
const BAD: readonly (readonly [...Pair, what: string, expected: RegExp | null, actual: RegExp | null])[] = [
  [
    'lost_grant',
    'revoke select on shop.orders from nightshift_health;',
    'grant insert on shop.orders to nightshift_health;',
    'privileges of table "shop"."orders"',
    /nightshift_health=SELECT/,
    /nightshift_health=INSERT/,
  ],
  [
    'column_order',
    'alter table shop.customers drop column note;',
    'alter table shop.customers add column note text;',
    'column "shop"."customers"."note"',
    /^after mood type text/,
    /^after country type text/,
  ],
  [
    'not_validated',
    'alter table shop.orders drop constraint orders_customer_id_fkey;',
    'alter table shop.orders add constraint orders_customer_id_fkey foreign key (customer_id) references shop.customers (id) not valid;',
    'constraint "shop"."orders" "orders_customer_id_fkey"',
    /validated true$/,
    /NOT VALID validated false$/,
  ],
  [
    'missing_index',
    'drop index shop.orders_by_customer;',
    'select 1;',
    'index "shop"."orders" "orders_by_customer"',
    /CREATE INDEX orders_by_customer/,
    null,
  ],
  [
    'enum_value',
    "alter type shop.mood add value 'great' after 'happy';",
    'select 1;',
    'enum "shop"."mood"',
    /'sad', 'ok', 'happy'$/,
    /'sad', 'ok', 'happy', 'great'$/,
  ],
  [
    'trigger_timing',
    'drop trigger orders_touch on shop.orders;',
    'create trigger orders_touch after update on shop.orders for each row execute function shop.touch();',
    'trigger "shop"."orders" "orders_touch"',
    /BEFORE UPDATE/,
    /AFTER UPDATE/,
  ],
  [
    'policy_roles',
    'drop policy own on shop.orders;',
    'create policy own on shop.orders for select using (true);',
    'policy "shop"."orders" "own"',
    /to nightshift_health/,
    /to public/,
  ],
  [
    'lost_default',
    'alter table shop.customers alter column mood drop default;',
    "alter table shop.customers alter column mood set default 'sad';",
    'column "shop"."customers"."mood"',
    /default 'ok'/,
    /default 'sad'/,
  ],
  [
    'lost_comment',
    "comment on table shop.orders is 'Orders';",
    "comment on table shop.orders is 'What was ordered';",
    'comment on table shop.orders',
    /^What was ordered; kept for ever$/,
    /^What was ordered$/,
  ],
  [
    'sequence_ownership',
    'alter sequence shop.numbers owned by none;',
    'alter sequence shop.numbers owned by shop.orders.customer_id;',
    'sequence "shop"."numbers"',
    /owned by shop.orders column id/,
    /owned by shop.orders column customer_id/,
  ],
  [
    'lost_rows',
    "update shop.orders set state = 'paid';",
    "update shop.orders set state = 'new';",
    'rows of table "shop"."orders"',
    /^5 rows with digest/,
    /^other values/,
  ],
  [
    'role_left',
    "select nightshift.create_group_role('shop_reader');",
    'select 1;',
    'role "shop_reader"',
    null,
    /^group role$/,
  ],
];

const GOOD: readonly Pair[] = [
  [
    'enum_type',
    "create type shop.size as enum ('small', 'large');\nalter table shop.orders add column size shop.size not null default 'small';",
    'alter table shop.orders drop column size;\ndrop type shop.size;',
  ],
  [
    'foreign_key_in_two_units',
    'create table shop.lines (id bigint primary key, order_id bigint not null);\nalter table shop.lines add constraint lines_order foreign key (order_id) references shop.orders (id) not valid;\nalter table shop.lines validate constraint lines_order;',
    'drop table shop.lines;',
  ],
  [
    'index_concurrently',
    'create index concurrently orders_by_state on shop.orders (state);',
    'drop index concurrently shop.orders_by_state;',
  ],
  [
    'policy',
    'create table shop.secrets (id int primary key, owner_name text not null);\nalter table shop.secrets enable row level security;\nalter table shop.secrets force row level security;\ncreate policy mine on shop.secrets using (owner_name = current_user);\ngrant select on shop.secrets to nightshift_health;',
    'drop table shop.secrets;',
  ],
  [
    'default_and_backfill',
    "alter table shop.customers add column city text not null default 'Athens';\nupdate shop.customers set city = 'Chania' where id % 2 = 0;",
    'alter table shop.customers drop column city;',
  ],
  [
    'group_role',
    "select nightshift.create_group_role('shop_writer');\ngrant usage on schema shop to shop_writer;",
    "revoke usage on schema shop from shop_writer;\nselect nightshift.drop_group_role('shop_writer');",
  ],
  [
    'partitions_and_views',
    "create table shop.events (at date not null, n int) partition by range (at);\ncreate table shop.events_2024 partition of shop.events for values from ('2024-01-01') to ('2025-01-01');\ncreate view shop.paid as select id from shop.orders where state = 'paid';\ncreate materialized view shop.totals as select count(*) as n from shop.orders;",
    'drop materialized view shop.totals;\ndrop view shop.paid;\ndrop table shop.events;',
  ],
];

async function verifyPairs(cluster: OwnCluster, pairs: readonly Pair[]): Promise<Certificate[]> {
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const { certificates } = await verifyFiles(cluster, dbname, pairs);
  return certificates;
}

async function verifyFiles(cluster: OwnCluster, dbname: string, pairs: readonly Pair[]) {
  const files = pairs.flatMap(([name, up, down], place) => {
    const number = String(place + 1).padStart(4, '0');
    return [
      [`${number}_${name}.up.sql`, up],
      [`${number}_${name}.down.sql`, down],
    ];
  });
  const migrations = await readMigrations(filesOfTest(Object.fromEntries(files)), true);
  return await withScratchRun(
    cluster,
    dbname,
    async ({ context }) => await verifyMigrations(context, { migrations, seeds: { of: () => undefined } }),
  );
}

describe('verifyMigrations', () => {
  let cluster: OwnCluster;
  beforeAll(async () => {
    cluster = await startOwnCluster();
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('downs that each forget one thing: each is different, and what it forgot is named with both definitions', async () => {
    const certificates = await verifyPairs(cluster, [BASE, ...BAD.map(([name, up, down]): Pair => [name, up, down])]);

    expect(certificates.map(({ outcome }) => outcome)).toEqual(['certified', ...BAD.map(() => 'different')]);
    for (const [place, [name, , , what, expected, actual]] of BAD.entries()) {
      const found = certificates[place + 1]?.differences.filter(({ after }) => after === 'down') ?? [];
      const named = found.find((difference) => difference.what === what);
      expect({ name, what: named?.what }).toEqual({ name, what });
      if (expected === null) expect(named?.expected).toBeNull();
      else expect(named?.expected).toMatch(expected);
      if (actual === null) expect(named?.actual).toBeNull();
      else expect(named?.actual).toMatch(actual);
    }
    expect(await scratchDatabases(cluster)).toEqual([]);
    const client = await cluster.client('postgres');
    expect((await client.query("select from pg_roles where rolname ~ '^shop_'")).rowCount).toBe(0);
  }, 90_000);

  test('downs that bring everything back: all are certified, with rows in every table', async () => {
    const certificates = await verifyPairs(cluster, [BASE, ...GOOD]);

    expect(
      certificates.map(({ file, outcome, problem, differences }) => ({ file, outcome, problem, differences })),
    ).toEqual(certificates.map(({ file }) => ({ file, outcome: 'certified', problem: null, differences: [] })));
    expect(certificates).toHaveLength(GOOD.length + 1);
    expect(certificates.flatMap(({ tablesWithoutRows }) => tablesWithoutRows)).toEqual([]);
    const client = await cluster.client('postgres');
    expect((await client.query("select from pg_roles where rolname ~ '^shop_'")).rowCount).toBe(0);
  }, 90_000);

  test('a file that says it is irreversible: it is recorded as that, and the next one is certified on top of it', async () => {
    const files: Pair[] = [
      BASE,
      ['merge', "update shop.orders set state = 'new';", '-- nightshift: irreversible because the states are gone\n'],
      ['next', 'alter table shop.orders add column note text;', 'alter table shop.orders drop column note;'],
    ];

    const certificates = await verifyPairs(cluster, files);

    expect(certificates.map(({ outcome, problem }) => ({ outcome, problem }))).toEqual([
      { outcome: 'certified', problem: null },
      { outcome: 'irreversible', problem: 'the states are gone' },
      { outcome: 'certified', problem: null },
    ]);
  });

  test('a down that fails on rows: failed with its place, and the next file is certified all the same', async () => {
    const files: Pair[] = [
      BASE,
      [
        'wider',
        'alter table shop.customers alter column country type text;',
        'alter table shop.customers drop column counrty;',
      ],
      ['next', 'alter table shop.orders add column note text;', 'alter table shop.orders drop column note;'],
    ];
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);

    const result = await verifyFiles(cluster, dbname, files);

    expect(result.certificates.map(({ outcome }) => outcome)).toEqual(['certified', 'failed', 'certified']);
    expect(result.certificates[1]?.problem).toMatch(
      /^migrations\/0002_wider\.down\.sql:1: statement 1 "alter table shop\.customers drop column counrty" failed: SQLSTATE 42703: /,
    );
    expect(() => requireCertified(result)).toThrow(
      /1 of 3 migrations are not certified; "migrations\/0002_wider\.up\.sql"/,
    );
  });

  test('an up that fails: it is failed, and the files after it are named as not verified', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);

    const result = await verifyFiles(cluster, dbname, [
      BASE,
      ['broken', 'alter table shop.nothing add column n int;', 'select 1;'],
      ['next', 'create table shop.next (n int);', 'drop table shop.next;'],
    ]);

    expect(result.certificates.map(({ outcome }) => outcome)).toEqual(['certified', 'failed']);
    expect(result.notVerified).toEqual(['migrations/0003_next.up.sql']);
    expect(await scratchDatabases(cluster)).toEqual([]);
  });

  test('a table whose CHECK no generated row satisfies: it is named with the reason, unless there is a seed', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const up = "create table public.odd (code text not null check (md5(code) = '202cb962ac59075b964b07152d234b70'));";
    const files = { '0001_odd.up.sql': up, '0001_odd.down.sql': 'drop table public.odd;' };
    const migrations = await readMigrations(filesOfTest(files), true);
    const run = async (seed: string | undefined) =>
      await withScratchRun(
        cluster,
        dbname,
        async ({ context }) => await verifyMigrations(context, { migrations, seeds: { of: () => seed } }),
      );

    const without = await run(undefined);
    const seeded = await run("insert into public.odd values ('123')");

    expect(without.certificates[0]?.tablesWithoutRows).toEqual([
      { table: '"public"."odd"', reason: expect.stringMatching(/^SQLSTATE 23514: .*odd_code_check/) },
    ]);
    expect(seeded.certificates[0]).toMatchObject({ tablesWithRows: ['"public"."odd"'], tablesWithoutRows: [] });
  });

  test('one file of three is asked for: those before it are applied, and only it is certified', async () => {
    const dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    const names = ['0001_a', '0002_b', '0003_c'];
    const files = Object.fromEntries(
      names.flatMap((name, place) => [
        [
          `${name}.up.sql`,
          place === 0 ? 'create table public.t (n int);' : `alter table public.t add column c${place} int;`,
        ],
        [`${name}.down.sql`, place === 0 ? 'drop table public.t;' : `alter table public.t drop column c${place};`],
      ]),
    );
    const migrations = await readMigrations(filesOfTest(files), true);

    const { certificates } = await withScratchRun(
      cluster,
      dbname,
      async ({ context }) =>
        await verifyMigrations(context, { migrations, from: 2, to: 2, seeds: { of: () => undefined } }),
    );

    expect(certificates.map(({ file, outcome }) => ({ file, outcome }))).toEqual([
      { file: 'migrations/0002_b.up.sql', outcome: 'certified' },
    ]);
  });
});
