// What lint reads of a live database, as an ordinary role, and what row level security does to a backfill there.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CatalogTable, LintCatalog } from '../../functions/migrate/lint/lint-catalog.ts';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { readLintCatalog } from '../../functions/migrate/lint/read-lint-catalog.ts';
import { productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { filesOfTest } from './migration-files-of-test.ts';

describe('readLintCatalog', () => {
  let fresh: FreshDatabase;
  let owner: Client;
  let role: string;
  let catalog: LintCatalog;
  const table = (name: string): CatalogTable => {
    const found = catalog.tables.find((one) => one.name === name);
    if (!found) throw new Error(`no table "${name}" in the catalog`);
    return found;
  };
  const login = () => ({ user: role, password: 'lint' });

  beforeAll(async () => {
    fresh = await createFreshDatabase();
    role = `lint_${fresh.name.slice(5)}`;
    await fresh.query(`create role ${role} login password 'lint'`);
    await fresh.query(`create schema ${role} authorization ${role}; create schema "Odd, schema" authorization ${role}`);
    await fresh.query(`alter role ${role} in database ${fresh.name} set timezone to 'Europe/Athens'`);
    await fresh.query(
      `alter role ${role} in database ${fresh.name} set search_path to "$user", "Odd, schema", missing`,
    );
    await fresh.query(
      'create table public.of_others (id bigint); alter table public.of_others enable row level security',
    );
    owner = await fresh.client(login());
    await owner.query(`
      create domain price as numeric(10,2) check (value >= 0);
      create domain net_price as price;
      create function pick() returns integer language sql as 'select 1';
      create function pick(integer) returns integer language sql immutable as 'select 1';
      create table parent (id bigint primary key, code varchar(20) not null, cost numeric(5,-2), span interval day to minute);
      create unlogged table child (id bigint generated always as identity, parent_id bigint references parent, t text[], p net_price);
      alter table child add constraint child_t check (t is not null) not valid;
      create index child_lower on child (lower(t[1]), id) where p > 1;
      create table parted (at int) partition by range (at);
      create table parted_low partition of parted for values from (0) to (10);
      create table parted_high partition of parted for values from (10) to (100);
      insert into parted select n % 100 from generate_series(0, 999) n;
      analyze parted_low, parted_high;
      create table secured (id bigint);
      insert into secured values (1), (2);
      alter table secured enable row level security, force row level security;
    `);
    catalog = await fresh.database('migrate', login()).withSession(readLintCatalog);
  });
  afterAll(async () => {
    await owner.end();
    await fresh.query(`drop owned by ${role}`);
    await fresh.query(`drop role ${role}`);
    await fresh.drop();
  });

  test('the session: version, time zone, and the search path of the role without what does not exist', () => {
    expect(catalog.serverVersion).toBeGreaterThanOrEqual(140_000);
    expect(catalog).toMatchObject({
      timeZone: 'Europe/Athens',
      searchPath: [role, 'Odd, schema'],
      bypassesPolicies: false,
      defaultTablespace: 'pg_default',
    });
  });

  test('types: modifiers are the numbers that a person writes', () => {
    const typesOf = (name: string) =>
      table(name).columns.map(({ type }) => [type.name, type.isArray, ...type.modifiers]);

    expect(typesOf('parent')).toEqual([
      ['int8', false],
      ['varchar', false, 20],
      ['numeric', false, 5, -2],
      ['interval', false, (1 << 3) | (1 << 10) | (1 << 11), 0xffff],
    ]);
    expect(typesOf('child')).toEqual([
      ['int8', false],
      ['int8', false],
      ['text', true],
      ['net_price', false],
    ]);
  });

  test('constraints and indexes: validity, proofs, references, and every column that they use', () => {
    const child = table('child');

    expect(child.constraints.find(({ name }) => name === 'child_t')).toMatchObject({
      isValid: false,
      provesNotNull: ['t'],
    });
    expect(child.constraints.find(({ kind }) => kind === 'foreign key')).toMatchObject({
      columns: ['parent_id'],
      references: `${role}.parent`,
    });
    expect(child.indexes).toMatchObject([
      { name: 'child_lower', columns: ['', 'id'], isComputed: true, isValid: true },
    ]);
    expect(child.indexes[0]?.uses.toSorted()).toEqual(['id', 'p', 't']);
    expect(table('parent').indexes).toMatchObject([{ name: 'parent_pkey', ofConstraint: true, isUnique: true }]);
  });

  test('sizes: an empty table has none, one that was never analyzed has no estimate, a parent has that of its partitions', () => {
    expect(table('child')).toMatchObject({ bytes: 0, rows: null, isUnlogged: true });
    expect(table('parted')).toMatchObject({ kind: 'partitioned table', rows: 1_000 });
    expect(table('parted').bytes).toBe(table('parted_low').bytes + table('parted_high').bytes);
    expect(table('parted').bytes).toBeGreaterThan(0);
  });

  test('domains and functions: a domain over a checked one is checked, the most volatile of a name counts', () => {
    expect(Object.fromEntries(catalog.domains.map(({ name, isConstrained }) => [name, isConstrained]))).toEqual({
      net_price: true,
      price: true,
    });
    expect(catalog.functions.find(({ name }) => name === 'pick')).toMatchObject({ volatility: 'volatile' });
    expect(catalog.functions.find(({ name }) => name === 'now')).toMatchObject({ volatility: 'stable' });
  });

  test('row level security: whether it is forced, and whose the table is', () => {
    expect(table('secured')).toMatchObject({ rowSecurity: true, forcesRowSecurity: true, isOwned: true });
    expect(table('of_others')).toMatchObject({ rowSecurity: true, forcesRowSecurity: false, isOwned: false });
  });

  test('a backfill under FORCE: others change 0 rows and see no error, migrate sees one, and lint says so before', async () => {
    const update = 'update secured set id = id + 10 where id = 1';
    const findings = await lint(`${update};`);

    const silent = await owner.query(update);
    const loud = fresh.database('migrate', login()).withSession(async (session) => {
      await session.query('reset search_path');
      return await session.query(update);
    });

    expect(silent.rowCount).toBe(0);
    await expect(loud).rejects.toThrow(/row-level security/);
    expect(findings).toEqual(['ban-backfill-under-row-security']);
    expect(await lint(`alter table secured no force row level security;\n${update};`)).toEqual([]);
  });

  test('an INVALID leftover: IF NOT EXISTS over it is an error, and on a valid one nothing', async () => {
    await owner.query('insert into parent (id, code) values (1, $1), (2, $1)', ['same']);
    await expect(owner.query('create unique index concurrently parent_code on parent (code)')).rejects.toThrow(
      /could not create unique index/,
    );
    const read = await fresh.database('migrate', login()).withSession(readLintCatalog);
    const sql = (name: string) => `create unique index concurrently if not exists ${name} on parent (code);`;

    expect(await lint(sql('parent_code'), read)).toEqual(['ban-concurrent-index-if-not-exists']);
    expect(await lint(sql('parent_other_code'), read)).toEqual([]);
  });

  test('our own migrations, on a database that has none of them: nothing is found', async () => {
    expect(lintMigrations(await readMigrations(productFolder('migrations'), true), catalog)).toEqual([]);
    expect(lintMigrations(await readMigrations(productFolder('nightshift'), false), catalog)).toEqual([]);
  });

  /** The rules that say something of the file, but for the one on schema names. */
  async function lint(sql: string, read = catalog): Promise<string[]> {
    const folder = filesOfTest({ '0001_a.up.sql': sql, '0001_a.down.sql': '-- nightshift: irreversible because test' });
    const findings = lintMigrations(await readMigrations(folder, true), read);
    return findings.map(({ rule }) => rule).filter((rule) => rule !== 'require-schema-name');
  }
});
