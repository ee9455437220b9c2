// Each fault of a restored database by itself: it is told by name, and nothing else is.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DrillDifference } from '../../functions/shared/drill-record.ts';
import { OWNERSHIP_KINDS } from '../../functions/shared/inventory.ts';
import { type CompareWorld, createCompareWorld } from '../support/compare-world.ts';

let world: CompareWorld;

beforeAll(async () => {
  world = await createCompareWorld();
});

afterAll(async () => {
  await world.drop();
});

const tell = ({ what, expected, actual }: DrillDifference) => `${what}: ${expected}, ${actual}`;

describe('compareRestored', () => {
  test('stock pg_restore has restored everything: no difference, and everything was compared', async () => {
    expect(await world.compare(world.restored)).toEqual({
      differences: [],
      differenceCount: 0,
      findings: [],
      notProven: [],
      compared: {
        tables: 6,
        rows: 3_527,
        sequences: 2,
        largeObjects: 5,
        definitions: expect.any(Number),
        assertions: 0,
      },
    });
  });

  test.each([
    ['a row is missing', 'delete from app.orders where id = 7', [/^table "app"\."orders": 500 rows, 499 rows$/]],
    ['a row is too many', 'insert into app.emptied values (1)', [/^table "app"\."emptied": 0 rows, 1 rows$/]],
    [
      'one value is another, as many rows',
      "update app.orders set name = 'N7' where id = 7",
      [/^table "app"\."orders": rows with digest [0-9a-f]{32}, other values, digest [0-9a-f]{32}$/],
    ],
    [
      'an instant is another by an hour',
      "update app.orders set at = at + interval '1 hour' where id = 7",
      [/^table "app"\."orders": rows with digest/],
    ],
    [
      'a value of a table with forced row level security is another',
      "update app.secrets set owner = 'me' where id = 1",
      [/^table "app"\."secrets": rows with digest/],
    ],
    [
      'a table without columns has a row less',
      'delete from app.no_columns where ctid = (select min(ctid) from app.no_columns)',
      [/^table "app"\."no_columns": 7 rows, 6 rows$/],
    ],
    [
      'a table is missing',
      'drop table app.emptied',
      [
        /^column .*missing/,
        /^owner of table/,
        /^privileges of table/,
        /^table "app"\."emptied": present, missing$/,
        /^table "app"\."emptied": 0 rows, no such table$/,
      ],
    ],
    [
      'a table is too many',
      'create table app.more ()',
      [
        /^owner of/,
        /^privileges of/,
        /^table "app"\."more": none, present$/,
        /^table "app"\."more": no such table, present$/,
      ],
    ],
    [
      'a column is missing',
      'alter table app.orders drop column raw',
      [
        /^column.*"price": as in the source, different/,
        /^column "app"\."orders"\."raw": present, missing$/,
        /^table "app"\."orders": column "raw", no such column$/,
      ],
    ],
    ['a sequence has another value', "select setval('app.lone', 42)", [/^sequence "app"\."lone": 41, 42$/]],
    [
      'a sequence has not given its value',
      "select setval('app.lone', 41, false)",
      [/^sequence "app"\."lone": 41, 41 \(not called\)$/],
    ],
    [
      'a sequence counts in other steps',
      'alter sequence app.lone increment 2',
      [/^sequence "app"\."lone": as in the source, different$/],
    ],
    [
      'a large object is missing',
      'select lo_unlink(50003)',
      [/^large objects: 5 of 80 bytes, SHA-256 \w+, 4 of 64 bytes/],
    ],
    [
      'a large object is another',
      "select lo_put(50003, 3, 'x')",
      [/^large objects: 5 of 80 bytes, SHA-256 \w+, 5 of 80 bytes/],
    ],
    [
      'an index is missing',
      'drop index app.orders_by_state',
      [/^index "app"\."orders" "orders_by_state": present, missing$/],
    ],
    [
      'an index has another condition',
      "drop index app.orders_by_state; create index orders_by_state on app.orders (state) where state in ('sent')",
      [/^index .*"orders_by_state": as in the source, different$/],
    ],
    [
      'a foreign key is missing',
      'alter table app.orders drop constraint orders_note_id_fkey',
      [/^constraint .*"orders_note_id_fkey": present, missing$/],
    ],
    [
      'a check takes one value more',
      "alter table app.orders drop constraint orders_state_check, add constraint orders_state_check check (state in ('new', 'sent', 'gone'))",
      [/^constraint .*"orders_state_check": as in the source, different$/],
    ],
    [
      'a foreign key was not validated',
      'alter table app.orders drop constraint orders_note_id_fkey, add constraint orders_note_id_fkey foreign key (note_id) references app.notes not valid',
      [/^constraint .*different$/],
    ],
    [
      'a trigger is missing',
      'drop trigger stamp on app.orders',
      [/^trigger "app"\."orders" "stamp": present, missing$/],
    ],
    [
      'a trigger is disabled',
      'alter table app.orders disable trigger stamp',
      [/^trigger "app"\."orders" "stamp": as in the source, different$/],
    ],
    [
      'a rule is missing',
      'drop rule nothing on app.open_orders',
      [/^rule "app"\."open_orders" "nothing": present, missing$/],
    ],
    [
      'a function has another body',
      'create or replace function app.twice(n int default 2) returns int language sql as $$ select (n * 2) $$',
      [/^function "app"\."twice"\(n integer\): as in the source, different$/],
    ],
    [
      'a function has another default',
      'create or replace function app.twice(n int default 3) returns int language sql as $$ select n * 2 $$',
      [/^function .*different$/],
    ],
    [
      'a view has another condition',
      "create or replace view app.open_orders as select id, state from app.orders where state in ('sent')",
      [/^view "app"\."open_orders": as in the source, different$/],
    ],
    [
      'a materialized view was not filled',
      'refresh materialized view app.by_state with no data',
      [/^contents of materialized view "app"\."by_state": as in the source, different$/],
    ],
    ['a policy is missing', 'drop policy own on app.secrets', [/^policy "app"\."secrets" "own": present, missing$/]],
    ['a policy lets more be seen', 'alter policy own on app.secrets using (true)', [/^policy .*different$/]],
    [
      'row level security is off',
      'alter table app.secrets disable row level security',
      [/^table "app"\."secrets": as in the source, different$/],
    ],
    [
      'a default is missing',
      'alter table app.orders alter column state drop default',
      [/^column "app"\."orders"\."state": as in the source, different$/],
    ],
    [
      'a column may be null',
      'alter table app.orders alter column state drop not null',
      [/^column .*"state".*different$/],
    ],
    [
      'a column has another collation',
      'alter table app.orders alter column name type text collate "POSIX"',
      [/^column "app"\."orders"\."name": as in the source, different$/],
    ],
    [
      'an enum has a label more',
      "alter type app.mood add value 'so so'",
      [/^enum "app"\."mood": as in the source, different$/],
    ],
    [
      'a domain lost its constraint',
      'alter domain app.positive drop constraint positive_check',
      [/^constraint of domain "app"\."positive" "positive_check": present, missing$/],
    ],
    [
      'the statistics of two columns are missing',
      'drop statistics app.of_orders',
      [/^owner of/, /^statistics "app"\."of_orders": present, missing$/],
    ],
    ['an extension is missing', 'drop extension citext', [/^extension "citext": 1\.6, not installed$/]],
    [
      'a grant is missing',
      'revoke select on app.orders from public',
      [/^privileges of table "app"\."orders": as in the source, different$/],
    ],
    [
      'a schema is too many',
      'create schema more',
      [/^owner of schema "more": none, present$/, /^privileges of/, /^schema "more": none, present$/],
    ],
  ])('%s: it is told by name, and nothing else is', async (_, sql, told) => {
    const name = await world.changed(sql);

    const { differences, differenceCount } = await world.compare(name);

    expect(differences.map(tell)).toEqual(told.map((one) => expect.stringMatching(one)));
    expect(differenceCount).toBe(told.length);
  });

  test.each([
    ['INDEX app orders_by_state', /^index "app"\."orders" "orders_by_state": present, missing$/],
    [
      'FK CONSTRAINT app orders orders_note_id_fkey',
      /^constraint "app"\."orders" "orders_note_id_fkey": present, missing$/,
    ],
    ['TRIGGER app orders stamp', /^trigger "app"\."orders" "stamp": present, missing$/],
    ['POLICY app secrets own', /^policy "app"\."secrets" "own": present, missing$/],
    ['STATISTICS app of_orders', /^statistics "app"\."of_orders": present, missing$/],
  ])('the entry "%s" was lost from the table of contents: it is told', async (entry, told) => {
    const name = await world.restoreEntries((line) => !line.includes(` ${entry} `));

    const { differences } = await world.compare(name);

    expect(differences.map(tell)).toContainEqual(expect.stringMatching(told));
    expect(differences.every(({ what }) => what.includes(entry.split(' ').at(-1) ?? ''))).toBe(true);
  });

  test('an extension has another version: a finding and no difference', async () => {
    const name = await world.changed("update pg_extension set extversion = '0.9' where extname = 'citext'");

    expect(await world.compare(name)).toMatchObject({
      differenceCount: 0,
      findings: [{ what: 'extension "citext"', problem: 'version 0.9 was installed; the source had 1.6' }],
    });
  });

  test('owners and grants were not restored and are left out: no difference; not left out, they are told', async () => {
    await world.fresh.query('create role compare_other superuser login');
    const name = await world.restore('--no-owner', '--no-privileges', '--role=compare_other');

    const without = await world.compare(name, { leftOut: OWNERSHIP_KINDS });
    const all = await world.compare(name);
    await world.fresh.query(`drop database ${name}`);
    await world.fresh.query('drop role compare_other');

    expect(without).toMatchObject({ differences: [], notProven: [] });
    expect(all.differences.map(({ what }) => what)).toContain('owner of table "app"."orders"');
    expect(all.differences.map(({ what }) => what)).toContain('privileges of table "app"."orders"');
  });

  test('more than 100 differences: the first 100, and the number of all', async () => {
    const name = await world.changed(
      "do $$ begin for n in 1..150 loop execute 'create schema more_' || n; end loop; end $$",
    );

    const { differences, differenceCount } = await world.compare(name);

    expect(differences).toHaveLength(100);
    expect(differenceCount).toBe(450);
  });
});
