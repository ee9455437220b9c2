// The ten defects of the sample SQL that this product started from: each defective form is run first and shown to fail,
// then the form that is installed.
import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';

const BCRYPT = `$2b$12$${'x'.repeat(53)}`;
const ADA = '11111111-1111-4111-8111-111111111111';
const BOB = '22222222-2222-4222-8222-222222222222';

describe('the sample schema and the health views', () => {
  let cluster: OwnCluster;
  let client: Client;
  let dbname: string;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    await cluster.migrate(dbname, { action: 'up' });
    client = await cluster.client(dbname);
    await client.query('create schema defective');
    await client.query(
      'insert into app_schema.users (id, username, email, password_hash) values ($1, $2, $3, $5), ($4, $6, $7, $5)',
      [ADA, 'ada', 'ada@example.com', BOB, BCRYPT, 'bob', 'bob@example.com'],
    );
  });
  afterAll(async () => {
    await cluster.stop();
  });

  /** Runs the statements as a role, in a transaction that is rolled back. */
  async function asRole<T>(role: string, use: () => Promise<T>): Promise<T> {
    await client.query('begin');
    try {
      await client.query(`set local role ${role}`);
      return await use();
    } finally {
      await client.query('rollback');
    }
  }

  test('1: an index is built CONCURRENTLY inside a transaction: the server refuses; the sample has no such statement', async () => {
    await client.query('create table defective.users (email text)');
    await client.query('begin');
    await expect(client.query('create index concurrently on defective.users (email)')).rejects.toMatchObject({
      code: '25001',
    });
    await client.query('rollback');

    const file = readFileSync(new URL('../../sql/migrations/0001_initial_schema.up.sql', import.meta.url), 'utf8');
    const { rows } = await client.query(
      "select count(*) filter (where indisvalid) as valid, count(*) as all from pg_index where indrelid = 'app_schema.users'::regclass",
    );
    expect(file).not.toMatch(/^create (unique )?index concurrently/m);
    expect(rows).toEqual([{ valid: '7', all: '7' }]);
  });

  test('2: a view unites a count with a pretty-printed size: it is not created; database_health has one numeric column', async () => {
    await expect(
      client.query(
        'create view defective.health as select count(*) as value from pg_stat_activity union all select pg_size_pretty(1::bigint)::text',
      ),
    ).rejects.toMatchObject({ message: 'UNION types bigint and text cannot be matched' });

    const { rows, fields } = await client.query(
      'select metric, value, unit, description from nightshift.database_health',
    );
    expect(rows.map(({ metric }) => metric)).toEqual(
      expect.arrayContaining(['active_connections', 'database_size', 'index_usage', 'cache_hit']),
    );
    expect(fields.find(({ name }) => name === 'value')?.dataTypeID).toBe(1700);
  });

  test('4: the purge logs action RETENTION into the audit table: the CHECK fails and the delete is undone; runs have a table of their own', async () => {
    await client.query(`create table defective.audit (action text check (action in ('INSERT', 'UPDATE', 'DELETE')))`);
    await client.query('create table defective.expired as select 1 as id');
    await client.query(`create function defective.purge() returns void language plpgsql as
      'begin delete from defective.expired; insert into defective.audit values (''RETENTION''); end'`);
    await expect(client.query('select defective.purge()')).rejects.toMatchObject({ code: '23514' });
    expect((await client.query('select id from defective.expired')).rows).toHaveLength(1);

    const purge = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
    await purge.query('begin');
    await purge.query('delete from app_schema.users where id = $1', [BOB]);
    await purge.query(
      `insert into nightshift.purge_run (policy, request_id, action, schema_name, table_name, cutoff, state, finished_at, rows_done, rows_left)
       values ('inactive-users', 'r', 'delete', 'app_schema', 'users', now() - interval '7 years', 'finished', clock_timestamp(), 1, 0)`,
    );
    await purge.query('rollback');
    await purge.end();
  });

  test('5: app.current_user_id is unset or empty: the plain policy fails on every query; the installed one shows nobody', async () => {
    await client.query('create table defective.own (id uuid)');
    await client.query('alter table defective.own enable row level security');
    await client.query(
      "create policy own on defective.own to app_read_write using (id = current_setting('app.current_user_id')::uuid)",
    );
    await client.query('grant usage on schema defective to app_read_write');
    await client.query('grant select on defective.own to app_read_write');
    const fresh = await cluster.client(dbname);
    await fresh.query('insert into defective.own values ($1)', [ADA]);
    await fresh.query('set role app_read_write');
    await expect(fresh.query('select * from defective.own')).rejects.toMatchObject({ code: '42704' });
    expect((await fresh.query('select id from app_schema.users')).rows).toEqual([]);

    // As a pooled connection after a transaction that had set it: the value is '' now, not unset.
    await fresh.query(
      "begin; select set_config('app.current_user_id', '11111111-1111-4111-8111-111111111111', true); commit",
    );
    await expect(fresh.query('select * from defective.own')).rejects.toMatchObject({ code: '22P02' });
    expect((await fresh.query('select id from app_schema.users')).rows).toEqual([]);
    await fresh.end();
  });

  test('5: app.current_user_id is set: each command reaches only the own row', async () => {
    const counts = await asRole('app_read_write', async () => {
      await client.query("select set_config('app.current_user_id', $1, true)", [ADA]);
      const seen = await client.query('select id from app_schema.users');
      const updated = await client.query("update app_schema.users set status = 'inactive'");
      const deleted = await client.query('delete from app_schema.users where id = $1', [BOB]);
      return [seen.rowCount, updated.rowCount, deleted.rowCount];
    });

    expect(counts).toEqual([1, 1, 0]);
    await asRole('app_read_write', async () => {
      await client.query("select set_config('app.current_user_id', $1, true)", [ADA]);
      await expect(
        client.query(
          "insert into app_schema.users (username, email, password_hash) values ('eve', 'eve@example.com', $1)",
          [BCRYPT],
        ),
      ).rejects.toMatchObject({ code: '42501' });
    });
  });

  test('5: the owner of the table reads it: FORCE shows it no row; app_admin sees all', async () => {
    const owner = await asRole(
      'nightshift_migrate',
      async () => (await client.query('select id from app_schema.users')).rowCount,
    );
    const admin = await asRole(
      'app_admin',
      async () => (await client.query('select id from app_schema.users')).rowCount,
    );

    expect([owner, admin]).toEqual([0, 2]);
  });

  test('6: the audit trigger copies the whole row: hash and e-mail stay for ever; the installed one keeps neither', async () => {
    await client.query('create table defective.people (id int, email text, password_hash text)');
    await client.query('create table defective.people_audit (old_values jsonb)');
    await client.query(`create function defective.audit() returns trigger language plpgsql as
      'begin insert into defective.people_audit values (to_jsonb(old)); return old; end'`);
    await client.query(
      'create trigger audit after delete on defective.people for each row execute function defective.audit()',
    );
    await client.query("insert into defective.people values (1, 'ada@example.com', '$2b$secret')");
    await client.query('delete from defective.people');
    const kept = await client.query('select old_values::text as text from defective.people_audit');
    expect(kept.rows[0]?.text).toContain('ada@example.com');
    expect(kept.rows[0]?.text).toContain('$2b$secret');

    await client.query('begin');
    await client.query("update app_schema.users set status = 'suspended' where id = $1", [ADA]);
    await client.query('delete from app_schema.users where id = $1', [ADA]);
    const { rows } = await client.query(
      'select action, old_values, new_values, to_jsonb(a)::text as whole from app_schema.user_audit a where user_id = $1 order by id',
      [ADA],
    );
    await client.query('rollback');
    expect(rows.map(({ action }) => action)).toEqual(['INSERT', 'UPDATE', 'DELETE']);
    expect(rows.map(({ whole }) => whole).join()).not.toMatch(/ada@example|\$2b\$|"ada"/);
    expect(rows[1]).toMatchObject({ old_values: { status: 'active' }, new_values: { status: 'suspended' } });
    expect(rows[2]).toMatchObject({ old_values: null, new_values: null });
  });

  test('7: a byte of the raw cipher is flipped: encrypt() gives other text without error; the installed function fails', async () => {
    await client.query('set search_path = app_crypto, public');
    const raw = await client.query<{ same: boolean; forged: string }>(
      `with e as (select encrypt('amount=0100', 'key', 'aes') as c)
       select encrypt('amount=0100', 'key', 'aes') = c as same,
              convert_from(decrypt_iv(set_byte(c, 0, get_byte(c, 0)), 'key', set_byte(decode(repeat('00', 16), 'hex'), 10, 1), 'aes'), 'UTF8') as forged
       from e`,
    );
    // Same text, same cipher: equal values can be seen. And the first block follows a changed vector without any error.
    expect(raw.rows[0]).toEqual({ same: true, forged: 'amount=0101' });
    await client.query('reset search_path');

    await client.query("select set_config('app.encryption_key', repeat('k', 32), false)");
    const { rows } = await client.query<{ a: Buffer; b: Buffer; back: string }>(
      `with e as (select app_schema.encrypt_sensitive_data('amount=0100') as a)
       select a, app_schema.encrypt_sensitive_data('amount=0100') as b, app_schema.decrypt_sensitive_data(a) as back from e`,
    );
    expect(rows[0]?.back).toBe('amount=0100');
    expect(rows[0]?.a.equals(rows[0].b)).toBe(false);
    const forged = Buffer.from(rows[0]?.a ?? '');
    forged[forged.length - 3] = (forged[forged.length - 3] ?? 0) ^ 1;
    await expect(client.query('select app_schema.decrypt_sensitive_data($1)', [forged])).rejects.toMatchObject({
      message: 'Wrong key or corrupt data',
    });
  });

  test('7: the key is unset, empty or short: encryption says so; PUBLIC may not call it', async () => {
    const fresh = await cluster.client(dbname);
    await expect(fresh.query("select app_schema.encrypt_sensitive_data('x')")).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining('app.encryption_key is not set'),
    });
    await fresh.query("set app.encryption_key = ''");
    await expect(fresh.query("select app_schema.encrypt_sensitive_data('x')")).rejects.toMatchObject({ code: '55000' });
    await fresh.query("set app.encryption_key = 'short'");
    await expect(fresh.query("select app_schema.encrypt_sensitive_data('x')")).rejects.toMatchObject({ code: '22023' });
    const { rows } = await fresh.query(
      `select bool_or(has_function_privilege('public', p.oid, 'execute')) as public_may
       from pg_proc p where pronamespace = 'app_schema'::regnamespace`,
    );
    expect(rows).toEqual([{ public_may: false }]);
    await fresh.end();
  });

  test('7: an application role encrypts and decrypts: it finds pgcrypto', async () => {
    const back = await asRole('app_read_write', async () => {
      await client.query("select set_config('app.encryption_key', repeat('k', 40), true)");
      return await client.query(
        "select app_schema.decrypt_sensitive_data(app_schema.encrypt_sensitive_data('ü')) as back",
      );
    });

    expect(back.rows).toEqual([{ back: 'ü' }]);
  });

  test('8: a temporary table stands in for a real one: an unpinned definer function reads it, a pinned one does not', async () => {
    await client.query('create table defective.rate (value int); insert into defective.rate values (10)');
    await client.query('grant usage on schema defective to app_read_only');
    for (const [name, path] of [
      ['unpinned', ''],
      ['half', 'set search_path = defective'],
      ['pinned', 'set search_path = pg_catalog, defective, pg_temp'],
    ] as const) {
      await client.query(
        `create function defective.${name}() returns int language plpgsql security definer ${path} as 'begin return (select value from rate); end'`,
      );
    }
    const mallory = await cluster.client(dbname);
    await mallory.query('set role app_read_only');
    await mallory.query('create temporary table rate (value int)');
    await mallory.query('insert into rate values (999999)');
    await mallory.query('grant select on rate to public');
    const { rows } = await mallory.query('select defective.unpinned(), defective.half(), defective.pinned()');
    expect(rows).toEqual([{ unpinned: 999999, half: 999999, pinned: 10 }]);
    await mallory.end();

    const own = await client.query(
      `select p.oid::regprocedure::text as name, array_to_string(p.proconfig, ' ') as config from pg_proc p
       where p.pronamespace in ('app_schema'::regnamespace, 'nightshift'::regnamespace)`,
    );
    expect(own.rows.length).toBeGreaterThan(8);
    expect(own.rows.filter(({ config }) => !/search_path=[^ ]*[a-z_, "]*pg_temp/.test(String(config)))).toEqual([]);
  });

  test('9: GRANT ON ALL TABLES only: the next table cannot be read; a table of the next migration can', async () => {
    await client.query('grant select on all tables in schema defective to app_read_only');
    await client.query('create table defective.next (id int)');
    const migrate = await cluster.client(dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));
    await migrate.query('create table app_schema.next (id bigint generated always as identity)');
    await migrate.query("create function app_schema.next_one() returns int language sql as 'select 1'");
    await migrate.end();

    const { rows } = await client.query(
      `select has_table_privilege('app_read_only', 'defective.next', 'select') as defective,
              has_table_privilege('app_read_only', 'app_schema.next', 'select') as read,
              has_table_privilege('app_read_only', 'app_schema.next', 'insert') as read_only_writes,
              has_table_privilege('app_read_write', 'app_schema.next', 'insert') as write,
              has_sequence_privilege('app_read_write', 'app_schema.next_id_seq', 'usage') as sequence,
              has_function_privilege('app_admin', 'app_schema.next_one()', 'execute') as execute,
              has_sequence_privilege('nightshift_health', 'app_schema.next_id_seq', 'select') as health`,
    );

    expect(rows).toEqual([
      {
        defective: false,
        read: true,
        read_only_writes: false,
        write: true,
        sequence: true,
        execute: true,
        health: true,
      },
    ]);
    await client.query('drop table app_schema.next; drop function app_schema.next_one()');
  });

  test('10: a table was never scanned: the plain division fails with 22012; database_health has a value or null', async () => {
    const fresh = await cluster.createDatabase();
    await cluster.bootstrap(fresh);
    const empty = await cluster.client(fresh);
    await empty.query('create table public.never (id int primary key)');
    await expect(
      empty.query('select 100 * idx_scan / (seq_scan + idx_scan) from pg_stat_user_tables where relname = $1', [
        'never',
      ]),
    ).rejects.toMatchObject({ code: '22012' });

    const { rows } = await empty.query("select value from nightshift.database_health where metric = 'index_usage'");

    expect(rows).toHaveLength(1);
    await empty.end();
  });

  test('a password in clear text, a doubled address in other case, a negative count: each is refused', async () => {
    const insert = async (username: string, email: string, hash: string, failed: number) =>
      await client.query(
        'insert into app_schema.users (username, email, password_hash, failed_login_attempts) values ($1, $2, $3, $4)',
        [username, email, hash, failed],
      );

    await expect(insert('carl', 'carl@example.com', 'hunter2', 0)).rejects.toMatchObject({
      constraint: 'users_password_hash_form',
    });
    await expect(insert('carl', 'Ada@example.com', BCRYPT, 0)).rejects.toMatchObject({
      constraint: 'users_email_lower_case',
    });
    await expect(insert('carl', 'carl@example.com', BCRYPT, -1)).rejects.toMatchObject({
      constraint: 'users_failed_login_attempts_not_negative',
    });
  });
});
