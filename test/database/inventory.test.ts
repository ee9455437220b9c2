import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Database } from '../../functions/shared/database.ts';
import type { Inventory } from '../../functions/shared/inventory.ts';
import { type ReadingOptions, readInventory } from '../../functions/shared/read-inventory.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { stockClient } from '../support/rich-source/restored-database.ts';

const run = promisify(execFile);

async function inventoryOf(database: Database, options: Partial<ReadingOptions> = {}): Promise<Inventory> {
  return await database.withSession(async (session) => {
    await session.query('begin isolation level repeatable read read only');
    const inventory = await readInventory(session, { lockTimeoutMs: 5_000, statementTimeoutMs: 60_000, ...options });
    await session.query('rollback');
    return inventory;
  });
}

/** Restores a stock dump of one database into another, as superuser. */
async function copyByPgDump(from: string, to: string): Promise<void> {
  const { clientDirectory, environment } = stockClient();
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-inventory-'));
  try {
    await run(join(clientDirectory, 'pg_dump'), ['-Fc', `--file=${folder}/dump`, from], { env: environment });
    await run(join(clientDirectory, 'pg_restore'), ['--exit-on-error', `--dbname=${to}`, `${folder}/dump`], {
      env: environment,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let source: FreshDatabase;
let restored: FreshDatabase;

beforeAll(async () => {
  source = await createFreshDatabase();
  restored = await createFreshDatabase();
  await source.query(readFileSync(join(import.meta.dirname, '../support/hard-schema.sql'), 'utf8'));
  await copyByPgDump(source.name, restored.name);
});

afterAll(async () => {
  await source.drop();
  await restored.drop();
});

describe('readInventory', () => {
  test('definitions that a restore says in another way: the inventory of the restored database is the same', async () => {
    const expected = await inventoryOf(source.database('backup'));
    const actual = await inventoryOf(restored.database('restore-drill'));

    expect(actual).toEqual(expected);
    const kinds = Object.groupBy(expected.entries ?? [], ([kind]) => kind);
    expect(kinds['constraint']?.length).toBeGreaterThan(15);
    expect(kinds['table of publication']).toHaveLength(2);
    expect(kinds['trigger']).toHaveLength(7);
    expect(kinds['column']?.map(([, identity]) => identity)).toContain('"hard"."orders"."Odd ""Name"""');
    expect(expected.entries?.some(([, , digest]) => digest === null)).toBe(false);
  });

  test('members of an extension, and what belongs to the system, are not in it; the extension is', async () => {
    const { entries } = await inventoryOf(source.database('backup'));

    expect(entries).toContainEqual(['extension', '"hstore"', expect.any(String)]);
    expect(entries?.filter(([, identity]) => /hstore(?!"$)/.test(identity))).toEqual([]);
    expect(entries?.filter(([, identity]) => /pg_catalog"|information_schema|pg_toast/.test(identity))).toEqual([]);
  });

  test('an index that is not valid, which pg_dump leaves out: it is not in it', async () => {
    await source.query('create table hard.twice as select 1 as n from generate_series(1, 2)');
    await expect(source.query('create unique index concurrently broken on hard.twice (n)')).rejects.toThrow(
      'could not create unique index',
    );

    const { entries } = await inventoryOf(source.database('backup'));
    await source.query('drop table hard.twice');

    expect(entries?.filter(([, identity]) => identity.includes('twice')).map(([kind]) => kind)).toEqual([
      'column',
      'owner',
      'privileges',
      'table',
    ]);
  });

  test('a role that may only read, as the backup role: it sees as much as a superuser', async () => {
    await source.query(
      "create role inventory_reader login bypassrls password 'p'; grant pg_read_all_data to inventory_reader",
    );

    const seen = await inventoryOf(source.database('backup', { user: 'inventory_reader', password: 'p' }));
    await source.query('drop owned by inventory_reader; drop role inventory_reader');

    expect(seen.entries).toEqual((await inventoryOf(source.database('backup'))).entries);
  });

  test('somebody holds a lock on what a view reads: no entries and the reason, and the session goes on', async () => {
    const client = await source.client();
    await client.query('begin; lock table hard.orders in access exclusive mode');

    const inventory = await inventoryOf(source.database('backup'), { lockTimeoutMs: 100 });
    await client.query('rollback');
    await client.end();

    expect(inventory).toMatchObject({ entries: null, problem: expect.stringContaining('SQLSTATE 55P03') });
  });

  test('after it, in its transaction: the settings are what they were, and no lock on a table of the users is held', async () => {
    const settings = "select name, setting from pg_settings where name in ('search_path', 'lock_timeout', 'TimeZone')";
    await source.database('backup').withSession(async (session) => {
      await session.query('begin isolation level repeatable read read only');
      const before = await session.query(settings);

      const { entries } = await readInventory(session, { lockTimeoutMs: 5_000, statementTimeoutMs: 60_000 });

      expect(entries?.length).toBeGreaterThan(100);
      expect((await session.query(settings)).rows).toEqual(before.rows);
      const locks = await session.query(
        "select relation::regclass from pg_locks where pid = pg_backend_pid() and relation >= 16384 and locktype = 'relation'",
      );
      expect(locks.rows).toEqual([]);
      await session.query('rollback');
    });
  });

  test('a schema of 1,000 tables: well below the second that a backup may wait for it', async () => {
    const many = await createFreshDatabase();
    await many.query(`do $$ begin
      for n in 1..1000 loop
        execute format('create table t%s (id int primary key, a text not null default ''x'' check (a in (''x'', ''y'')), b varchar(9), c int, d timestamptz default now())', n);
        execute format('create index on t%s (b); create view v%s as select id, a from t%s where b in (''p'', ''q'')', n, n, n);
      end loop;
    end $$`);
    await many.query('analyze');
    const database = many.database('backup');
    await inventoryOf(database);

    const from = performance.now();
    const { entries } = await inventoryOf(database);
    const ms = performance.now() - from;
    await many.drop();

    expect(entries?.length).toBe(17_004);
    expect(ms).toBeLessThan(5_000);
  });

  test('the database: encoding, locale and the collations of the server that its columns name', async () => {
    const { database, collations, major } = await inventoryOf(source.database('backup'));

    expect(major).toBe(inject('cluster').major);
    expect(database).toMatchObject({ encoding: 'UTF8', localeProvider: 'c', locale: null });
    expect(collations).toContain('C');
  });
});
