// What the role of purge cannot do, as bootstrap makes it: nobody who gets hold of its password can write a policy, lift a hold or
// a stop, or delete from a table that nobody has opened to it.
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readSqlFile } from '../../functions/shared/sql-files.ts';
import { createPurgeRoleWorld, type PurgeRoleWorld } from './purge-role-world.ts';

let world: PurgeRoleWorld;
let client: Client;
beforeAll(async () => {
  world = await createPurgeRoleWorld();
  client = await world.client();
});
beforeEach(async () => {
  await world.reset();
  await world.admin.query(`
    create table app.secret (id int primary key, at timestamptz);
    insert into app.secret values (1, now() - interval '1 year');
    insert into nightshift.purge_stop (reason) values ('audit');
    insert into nightshift.legal_hold (schema_name, table_name, key_value, reason) values ('app', 'event', '100', 'case 1')`);
  await world.addPolicy();
});
afterAll(async () => await world.close());

const PERMISSION_DENIED = '42501';

/** Everything that decides what is deleted, as one text. */
async function rules(): Promise<string> {
  const texts: unknown[] = [];
  for (const table of [
    'retention_policy',
    'legal_hold',
    'purge_stop',
    'data_classification',
    'purge_object',
    'migration',
  ]) {
    texts.push((await world.admin.query(`select t::text from nightshift.${table} as t order by 1`)).rows);
  }
  return JSON.stringify(texts);
}

describe('nightshift_purge', () => {
  test.each([
    [
      'a policy',
      'insert into nightshift.retention_policy select (policy).* from nightshift.retention_policy as policy',
    ],
    ['a shorter retention', "update nightshift.retention_policy set retention = '1 day'"],
    ['one policy less', 'delete from nightshift.retention_policy'],
    ['a shorter hold', "update nightshift.legal_hold set held_until = now() + interval '1 second'"],
    ['one hold less', 'delete from nightshift.legal_hold'],
    ['no holds at all', 'truncate nightshift.legal_hold'],
    ['one stop less', 'delete from nightshift.purge_stop'],
    ['another classification', 'update nightshift.data_classification set pii_category = null'],
    [
      'a classification',
      "insert into nightshift.data_classification values ('app', 'event', 'kind', 'PUBLIC', null, null, false, null, null)",
    ],
    ['another archive', 'update nightshift.purge_object set row_count = 1'],
    ['one archive less', 'delete from nightshift.purge_object'],
    ['one run less', 'delete from nightshift.purge_run'],
    ['a migration', "insert into nightshift.migration (name) values ('0099')"],
    ['the trigger of holds', 'alter table nightshift.legal_hold disable trigger all'],
    [
      'the check of policies',
      'alter table nightshift.retention_policy drop constraint retention_policy_schema_allowed',
    ],
    ['a function in its schema', 'create function nightshift.lock_key(int) returns int language sql as $$ select 1 $$'],
    ['a table in its schema', 'create table nightshift.mine ()'],
    [
      'a function in the schema of the application',
      'create function app.mine() returns int language sql as $$ select 1 $$',
    ],
    ['foreign keys and triggers off', 'set session_replication_role = replica'],
    ['the rights of migrate', 'set role nightshift_migrate'],
    ['the rights of the owner', 'set role postgres'],
    ['a right of its own', 'grant delete on app.secret to nightshift_purge'],
  ])('it writes %s: permission denied, and the rules are as they were', async (_, statement) => {
    const before = await rules();

    await expect(client.query(statement)).rejects.toMatchObject({ code: PERMISSION_DENIED });

    expect(await rules()).toBe(before);
  });

  test.each<[string, unknown[]]>([
    ['place-hold.sql', ['app', 'event', '99', false, 'mine', null, 'me']],
    ['release-hold.sql', ['1', 'me']],
    ['place-stop.sql', ['mine', 'me']],
    ['lift-stops.sql', ['me']],
  ])('it runs the statement that a person has for it (%s): permission denied', async (file, values) => {
    const before = await rules();

    await expect(client.query(readSqlFile(`purge-command/${file}`), values)).rejects.toMatchObject({
      code: PERMISSION_DENIED,
    });

    expect(await rules()).toBe(before);
  });

  test('nobody has opened a table to it: it can neither read nor delete there, and a policy on it fails by name', async () => {
    await world.admin.query('truncate nightshift.purge_stop');
    await world.addPolicy({ name: 'secrets', table_name: 'secret' });

    for (const statement of [
      'select from app.secret',
      'delete from app.secret',
      'truncate app.secret',
      'drop table app.secret',
    ]) {
      await expect(client.query(statement)).rejects.toMatchObject({ code: PERMISSION_DENIED });
    }
    const failure = await world.purge().catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'purge.refused',
      problem:
        'policy "secrets": role "nightshift_purge" lacks select, delete, update ("id") on "app"."secret" (locking a row asks for update on one column)',
      hint: 'grant select, delete, update ("id") on "app"."secret" to "nightshift_purge"',
    });
    expect(await world.count('app.secret')).toBe(1);
    // The other policy has run, and left the held row.
    expect(await world.count('app.event')).toBe(61);
  });

  test('the right to delete is taken away between two batches: the next one is refused by the server and fails by name', async () => {
    await world.admin.query(`
      truncate nightshift.purge_stop, nightshift.legal_hold;
      update nightshift.retention_policy set batch_rows = 10;
      create function app.revoke_delete() returns trigger language plpgsql security definer as $$
      begin
        revoke delete on app.event from nightshift_purge;
        return null;
      end $$;
      create trigger revoke_delete after delete on app.event execute function app.revoke_delete()`);

    const failure = await world.purge().catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'purge.refused',
      problem: 'policy "events": a right is missing: permission denied for table event',
      safeState: 'The current batch was rolled back; 10 rows of this run were deleted before it and stay deleted',
    });
    expect(await world.count('app.event')).toBe(90);
    expect(await world.count("nightshift.purge_run where state = 'failed' and rows_done = 10")).toBe(1);
  });
});
