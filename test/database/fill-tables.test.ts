import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Filled, fillColumns, fillEmptyTables } from '../../functions/migrate/scratch/fill-tables.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';

const NO_SEEDS = { of: () => undefined };
const ROWS = 6;

/** A column of every type that the server knows by itself, and of those that a schema makes. */
const TYPES =
  'bool int2 int4 int8 oid float4 float8 money uuid date timestamp timestamptz time timetz interval json jsonb xml bytea inet cidr macaddr macaddr8 point lseg line box path polygon circle tsvector tsquery pg_lsn text varchar(3) char(2) numeric numeric(3,3) numeric(5,2) bit(4) varbit name int4range numrange daterange tstzrange int4multirange text[] int[] date[] fill.mood fill.mood[] fill.code fill.pair'.split(
    ' ',
  );

describe('fillEmptyTables', () => {
  let fresh: FreshDatabase;
  let filled: Filled;

  beforeAll(async () => {
    fresh = await createFreshDatabase();
    await fresh.query(`
      create schema fill;
      create type fill.mood as enum ('sad', 'it''s ok');
      create domain fill.code as varchar(10) not null check (value ~ '^[a-z_0-9]+$');
      create type fill.pair as (n int, t text);
      create table fill.parents (id bigint generated always as identity primary key, code text unique not null);
      create table fill.children (
        parent_id bigint not null references fill.parents,
        number int not null,
        parent_code text references fill.parents (code),
        primary key (parent_id, number)
      );
      create table fill.trees (id int primary key, above int references fill.trees);
      create table fill.stays (room int, during daterange not null, exclude using gist (during with &&));
      create table fill.checked (
        state text not null check (state in ('new', 'paid')),
        amount int not null check (amount between 10 and 20),
        starts date not null, ends date not null, check (ends >= starts),
        total int generated always as (amount * 2) stored
      );
      create table fill.parts (at date not null, n int) partition by range (at);
      create table fill.parts_2024 partition of fill.parts for values from ('2024-01-01') to ('2025-01-01');
      create table fill.guarded (id int primary key, changed int not null default 0);
      alter table fill.guarded enable row level security;
      alter table fill.guarded force row level security;
      create function fill.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger a_refuse before insert on fill.guarded for each row execute function fill.refuse();
      create trigger b_always before insert on fill.guarded for each row execute function fill.refuse();
      create trigger c_off before insert on fill.guarded for each row execute function fill.refuse();
      alter table fill.guarded enable always trigger b_always;
      alter table fill.guarded disable trigger c_off;
      create table fill.nobody (n int check (n > 5 and n < 3) not null);
      create table fill.ring_a (id int primary key, b int not null);
      create table fill.ring_b (id int primary key, a int not null references fill.ring_a);
      alter table fill.ring_a add foreign key (b) references fill.ring_b;
      ${TYPES.map((type, place) => `create table fill.type_${place} (v ${type} not null);`).join('\n')}
    `);
    const database = fresh.database('migrate');
    filled = await database.withSession(async (session) => await fillEmptyTables(session, NO_SEEDS, ROWS));
  });
  afterAll(async () => {
    await fresh.drop();
  });

  test('a column of any type: the table has rows', async () => {
    const wanted = TYPES.map((_type, place) => `"fill"."type_${place}"`);

    expect(filled.withoutRows.filter(({ table }) => table.startsWith('"fill"."type_'))).toEqual([]);
    expect(filled.withRows).toEqual(expect.arrayContaining(wanted));
  });

  test('keys, references, exclusions, CHECKs, partitions, row level security and triggers: all rows are there', async () => {
    const names = ['parents', 'children', 'trees', 'stays', 'checked', 'parts', 'guarded'];

    for (const name of names) {
      const { rows } = await fresh.query(`select count(*)::int as n from fill.${name}`);
      expect({ name, n: rows[0]?.['n'] }).toEqual({ name, n: ROWS });
    }
    const { rows } = await fresh.query('select count(distinct parent_id)::int as n from fill.children');
    expect(rows[0]?.['n']).toBe(ROWS);
  });

  test('tables that no row fits: each is named with the words of the server', () => {
    expect(filled.withoutRows).toEqual([
      { table: '"fill"."nobody"', reason: expect.stringMatching(/^SQLSTATE 23514: .*nobody_n_check/) },
      { table: '"fill"."ring_b"', reason: expect.stringMatching(/^SQLSTATE 23503: .*ring_b_a_fkey/) },
      { table: '"fill"."ring_a"', reason: expect.stringMatching(/^SQLSTATE 23503: .*ring_a_b_fkey/) },
    ]);
  });

  test('row level security and triggers: as before', async () => {
    const { rows } = await fresh.query(`
      select c.relforcerowsecurity as forced, array_agg(t.tgenabled::text order by t.tgname) as triggers
      from pg_class c join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
      where c.oid = 'fill.guarded'::regclass
      group by 1`);

    expect(rows).toEqual([{ forced: true, triggers: ['O', 'A', 'D'] }]);
  });

  test('once more: tables with rows are left alone', async () => {
    const database = fresh.database('migrate');
    await database.withSession(async (session) => await fillEmptyTables(session, NO_SEEDS, ROWS));

    const { rows } = await fresh.query('select count(*)::int as n from fill.parents');
    expect(rows[0]?.['n']).toBe(ROWS);
  });

  test('new columns: each row gets its value, and no other column changes', async () => {
    await fresh.query('alter table fill.guarded add column note text, add column day date');
    await fresh.query('alter table fill.parts add column note text');
    const before = await fresh.query('select id, changed from fill.guarded order by id');
    const database = fresh.database('migrate');

    await database.withSession(
      async (session) => await fillColumns(session, (_table, { name }) => name === 'note' || name === 'day'),
    );

    const { rows } = await fresh.query('select note, day::text from fill.guarded order by id');
    expect(rows.slice(0, 2)).toEqual([
      { note: 'note_1', day: '2024-01-01' },
      { note: 'note_2', day: '2024-01-02' },
    ]);
    expect((await fresh.query('select from fill.parts where note is null')).rows).toEqual([]);
    expect((await fresh.query('select id, changed from fill.guarded order by id')).rows).toEqual(before.rows);
  });

  test('the schema with everything that the backup is tested with: every table has rows', async () => {
    const hard = await createFreshDatabase();
    await hard.query(readFileSync(join(import.meta.dirname, '../support/hard-schema.sql'), 'utf8'));
    await hard.query(
      "do $$ declare t regclass; begin for t in select oid::regclass from pg_class where relkind = 'r' and relnamespace = 'hard'::regnamespace loop execute format('truncate %s cascade', t); end loop; end $$",
    );

    const result = await hard
      .database('migrate')
      .withSession(async (session) => await fillEmptyTables(session, NO_SEEDS, ROWS));

    expect(result.withoutRows).toEqual([]);
    expect(result.withRows.length).toBeGreaterThan(8);
    await hard.drop();
  });
});
