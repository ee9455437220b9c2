import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { driftResultSchema } from '../../functions/migrate/drift/contract.ts';
import { findDrift, requireNoDrift } from '../../functions/migrate/drift/find-drift.ts';
import { type MigrationFolder, productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { catalogSnapshot } from './catalog-snapshot.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

const shop = filesOfTest({
  '0001_shop.up.sql': `create schema shop;
create table shop.orders (id bigint generated always as identity primary key, state text not null default 'new', amount numeric);
create index orders_by_state on shop.orders (state);
create function shop.label(o shop.orders) returns text language sql stable as $$ select o.state $$;
grant select on shop.orders to nightshift_health;
comment on table shop.orders is 'orders';
create extension hstore;
`,
  '0001_shop.down.sql': '-- nightshift: irreversible because it is a test\n',
});

const LIMITS = { lockTimeoutMs: 2_000, statementTimeoutMs: 60_000 };

describe('findDrift', () => {
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
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const drift = async (folder: MigrationFolder) => {
    const applied = await readMigrations(folder, true);
    return await withScratchRun(
      cluster,
      dbname,
      async ({ context }) => await findDrift(context, { applied, limits: LIMITS }),
    );
  };

  test.each([
    ['shop', shop],
    ['the sample', productFolder('migrations')],
  ])(
    'nothing was changed by hand since the migrations of %s: no drift, and the live database is as before',
    async (_name, folder) => {
      await cluster.migrate(dbname, { action: 'up' }, { folder });
      const before = await catalogSnapshot(client);

      const result = await drift(folder);

      expect(driftResultSchema.parse(result)).toEqual(result);
      expect(result).toMatchObject({
        outcome: 'none',
        problem: null,
        drift: [],
        comparison: { files: 1, owners: true },
      });
      expect(result.compared).toBeGreaterThan(8);
      expect(() => requireNoDrift(result)).not.toThrow();
      expect(await catalogSnapshot(client)).toEqual(before);
      expect(await scratchDatabases(cluster)).toEqual([]);
    },
  );

  test.each([
    [
      'an index made by hand',
      'create index by_hand on shop.orders (amount)',
      'extra',
      'index "shop"."orders" "by_hand"',
      null,
      /CREATE INDEX by_hand/,
    ],
    [
      'a dropped index',
      'drop index shop.orders_by_state',
      'missing',
      'index "shop"."orders" "orders_by_state"',
      /CREATE INDEX orders_by_state/,
      null,
    ],
    [
      'a dropped default',
      'alter table shop.orders alter column state drop default',
      'different',
      'column "shop"."orders"."state"',
      /default 'new'::text/,
      /^after id type text not null$/,
    ],
    [
      'a changed function',
      'create or replace function shop.label(o shop.orders) returns text language sql stable as $$ select upper(o.state) $$',
      'different',
      'function "shop"."label"(o shop.orders)',
      / select o\.state /,
      / select upper\(o\.state\) /,
    ],
    [
      'a revoked grant',
      'revoke select on shop.orders from nightshift_health',
      'different',
      'privileges of table "shop"."orders"',
      /nightshift_health=SELECT/,
      /^(?!.*nightshift_health)/,
    ],
    [
      'another owner',
      'alter table shop.orders owner to nightshift_purge',
      'different',
      'owner of table "shop"."orders"',
      /^nightshift_migrate$/,
      /^nightshift_purge$/,
    ],
    ['an extension made by hand', 'create extension citext', 'extra', 'extension "citext"', null, /schema public/],
  ] as const)('%s: it is found, with both definitions', async (_name, sql, kind, what, migrations, live) => {
    await cluster.migrate(dbname, { action: 'up' }, { folder: shop });
    await client.query(sql);

    const result = await drift(shop);

    expect(result.outcome).toBe('drifted');
    const found = result.drift.find((one) => one.what === what);
    expect(found).toMatchObject({ kind, what });
    if (migrations === null) expect(found?.migrations).toBeNull();
    else expect(found?.migrations).toMatch(migrations);
    if (live === null) expect(found?.live).toBeNull();
    else expect(found?.live).toMatch(live);
    expect(() => requireNoDrift(result)).toThrow(/differs from its migrations in \d+ things/);
  });

  test('an applied file that does not run there: unknown, never none', async () => {
    const broken = filesOfTest({
      '0001_broken.up.sql': 'create table nowhere.t (n int);',
      '0001_broken.down.sql': 'drop table nowhere.t;',
    });

    const result = await drift(broken);

    expect(result).toMatchObject({ outcome: 'unknown', problem: expect.stringContaining('SQLSTATE 3F000') });
    expect(() => requireNoDrift(result)).toThrow(/it is not known whether the live database drifted/);
  });
});
