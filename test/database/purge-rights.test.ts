// What the real role of purge may do, as bootstrap makes it, and what a text that a person writes can make it do: a text is a name or a
// value, or it is refused; no statement comes out of one.
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PurgeEvent } from '../../functions/purge/contract.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { type OwnCluster, roleLogin, startOwnCluster } from './own-cluster.ts';
import { purgeOn } from './purge-world.ts';

let aws: LocalAws;
let cluster: OwnCluster;
let dbname: string;
/** As superuser, and as the role of purge. */
let admin: Client;
let role: Client;

beforeAll(async () => {
  aws = await startLocalAws();
  cluster = await startOwnCluster();
  dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  admin = await cluster.client(dbname);
  role = await cluster.client(dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
});
beforeEach(async () => {
  await admin.query(`
    drop schema if exists app cascade;
    create schema app;
    create table app.canary (id int primary key);
    insert into app.canary values (1);
    create table app.event (id int primary key, at timestamptz, kind text, marked_at timestamptz);
    insert into app.event select n, now() - make_interval(days => n), 'plain' from generate_series(1, 100) n;
    create table app.person (key text primary key, at timestamptz);
    delete from nightshift.retention_policy;
    delete from nightshift.legal_hold;
    delete from nightshift.data_classification`);
});
afterAll(async () => {
  await cluster.stop();
  await aws.stop();
});

const purge = async (event: Partial<Omit<PurgeEvent, 'job'>> = {}) => {
  const connection = cluster.database('purge', dbname, roleLogin(cluster, 'PURGE_SECRET_ARN'));
  try {
    return await purgeOn(connection, createObjectStore(BUCKET), { event });
  } finally {
    await connection.close();
  }
};
const failureOf = async (event: Partial<Omit<PurgeEvent, 'job'>> = {}) =>
  await purge(event).catch((error: unknown) => error);

const GRANTS =
  'grant usage on schema app to nightshift_purge; grant select, delete, update on all tables in schema app to nightshift_purge';

const plain = {
  name: 'events',
  schema_name: 'app',
  table_name: 'event',
  timestamp_column: 'at',
  retention: '60 days',
  predicate: null,
  action: 'delete',
  archive_before_delete: false,
  enabled: true,
  reason: 'a test',
  anonymise: null,
  marker_column: null,
};

async function write(table: string, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row);
  const values = names.map((_, index) => `$${index + 1}`);
  await admin.query(
    `insert into nightshift.${table} (${names.map(quoteIdentifier).join(', ')}) values (${values.join(', ')})`,
    Object.values(row),
  );
}
const policy = async (more: Partial<Record<keyof typeof plain, unknown>> = {}) =>
  await write('retention_policy', { ...plain, ...more });
const hold = async (more: object) =>
  await write('legal_hold', { schema_name: 'app', table_name: 'event', key_value: '61', reason: 'case 1', ...more });

async function expectNothingExecuted(events: number): Promise<void> {
  const { rows } = await admin.query<{ canaries: number; events: number; tables: number }>(`
    select (select count(*)::int from app.canary) as canaries, (select count(*)::int from app.event) as events,
      (select count(*)::int from pg_tables where schemaname = 'nightshift') as tables`);
  expect(rows).toEqual([{ canaries: 1, events, tables: tablesOfNightshift }]);
}
let tablesOfNightshift = 0;
beforeAll(async () => {
  const { rows } = await admin.query<{ n: number }>(
    "select count(*)::int as n from pg_tables where schemaname = 'nightshift'",
  );
  tablesOfNightshift = rows[0]?.n ?? 0;
});

describe('the rights of nightshift_purge', () => {
  test.each([
    ['delete from app.event', 'a table of the application'],
    ['truncate app.event', 'a table of the application'],
    ['update app.event set kind = null', 'a table of the application'],
    ['drop table app.canary', 'a table of the application'],
    ["insert into nightshift.retention_policy (name) values ('mine')", 'a policy'],
    ["update nightshift.retention_policy set retention = '1 day'", 'a policy'],
    ["update nightshift.legal_hold set released_at = now(), released_by = 'me'", 'a hold'],
    ['delete from nightshift.legal_hold', 'a hold'],
    ['delete from nightshift.purge_stop', 'the flag that stops it'],
    ["update nightshift.purge_stop set lifted_at = now(), lifted_by = 'me'", 'the flag that stops it'],
    ['delete from nightshift.purge_run', 'what it has recorded'],
    ['delete from nightshift.purge_object', 'what it has recorded'],
    ['update nightshift.purge_object set row_count = 1', 'what it has recorded'],
    ['delete from nightshift.data_classification', 'a classification'],
  ])('%s, of %s: refused by the server', async (sql) => {
    await policy();
    await hold({});

    await expect(role.query(sql)).rejects.toMatchObject({ code: '42501' });
    await expectNothingExecuted(100);
  });

  test('a policy gives no right: the run is refused with the grants, and these are enough for it and no more', async () => {
    await policy();
    const rights = async () =>
      (
        await admin.query<{ right: string }>(
          "select table_name || ' ' || lower(privilege_type) as right from information_schema.role_table_grants where grantee = 'nightshift_purge' and table_schema = 'app' order by 1",
        )
      ).rows.map(({ right }) => right);
    await admin.query('grant usage on schema app to nightshift_purge');
    const rightsBefore = await rights();

    const failure = await failureOf();
    const hint = Reflect.get(failure as Error, 'hint') as string;
    await admin.query(hint);
    const { policy: done } = await purge();

    expect(rightsBefore).toEqual([]);
    expect(failure).toMatchObject({ code: 'purge.refused' });
    expect(hint).toBe('grant select, delete, update ("id") on "app"."event" to "nightshift_purge"');
    expect(await rights()).toEqual(['event delete', 'event select']);
    expect(done).toMatchObject({ state: 'finished', rowsDone: 41, rowsLeft: 0 });
    await expect(role.query("update app.event set kind = ''")).rejects.toMatchObject({ code: '42501' });
    await expectNothingExecuted(59);
  });
});

const DROP = 'drop table app.canary';

describe('text that wants to be a statement', () => {
  beforeEach(async () => void (await admin.query(GRANTS)));

  test.each([
    ['name', `x'; ${DROP}; --`],
    ['schema_name', `app"; ${DROP}; --`],
    ['table_name', `event"; ${DROP}; --`],
    ['table_name', 'event where false; --'],
    ['timestamp_column', `at" < now(); ${DROP}; --`],
    ['action', `delete; ${DROP}`],
    ['predicate', `true; ${DROP}`],
    ['predicate', 'true -- '],
    ['predicate', 'true /* '],
  ] as const)('as %s of a policy, %s: the database does not take it', async (column, text) => {
    await expect(policy({ [column]: text })).rejects.toMatchObject({
      code: expect.stringMatching(/^(23514|42P01|42703)$/),
    });

    expect((await purge()).result.policies).toEqual([]);
    await expectNothingExecuted(100);
  });

  test.each([
    ['closes the bracket', 'true) or (true'],
    ['closes both kinds of brackets', 'true] or (true) or [true'],
    ['is no condition', 'kind'],
    ['is several', 'true, true'],
    ['is a statement', 'delete from app.canary returning true'],
    ['hides one in WITH', 'exists (with gone as (delete from app.canary returning 1) select from gone)'],
    ['goes on after itself', "kind = 'plain' union select true"],
    ['has a limit', "kind = 'plain' limit 1"],
    ['leaves a quote open', "kind = 'plain"],
    [
      'leaves a quote open in which the rest of the check lies',
      "kind = '::text], $1::text from app.event as t where (true",
    ],
    ['does so with dollars', 'kind = $x$::text], $1::text from app.event as t where (true'],
    ['does so with a backslash', "kind = E'\\'::text], $1::text from app.event as t where (true"],
    ['has a parameter of ours', 'at < $1'],
    ['names what is not there', 'no_such_column'],
    ['deletes by a function that claims to be immutable', 'app.wipe_immutable()'],
    ['deletes by a function of which it is no owner', 'app.wipe()'],
    ['counts', 'count(*) > 0'],
  ])('a predicate that %s: the run is refused or fails, nothing is deleted', async (_, predicate) => {
    await admin.query(`
      create function app.wipe_immutable() returns boolean language plpgsql immutable security definer as $$ begin delete from app.canary; return true; end $$;
      create function app.wipe() returns boolean language plpgsql as $$ begin drop table app.canary; return true; end $$`);
    await policy({ predicate });

    expect(await failureOf()).toMatchObject({ code: 'purge.refused', problem: expect.stringContaining('"events"') });
    await expectNothingExecuted(100);
  });

  test.each([
    ['a column more', "''), id = (7"],
    ['a column more in the other brackets', "''], id = [7"],
    ['a statement in WITH', '(with gone as (delete from app.canary returning 1) select count(*)::text from gone)'],
    ['an open quote', "'gone"],
    ['an open dollar quote', '$x$gone'],
    ['several values', "'', ''"],
    ['a condition', "'' where false"],
  ])('an anonymising expression with %s: the run is refused, no row is changed', async (_, expression) => {
    await policy({ action: 'anonymise', anonymise: { kind: expression }, marker_column: 'marked_at' });

    expect(await failureOf()).toMatchObject({
      code: 'purge.refused',
      problem: expect.stringContaining('column "kind"'),
    });
    await expectNothingExecuted(100);
    const { rows } = await admin.query("select from app.event where kind <> 'plain' or marked_at is not null");
    expect(rows).toEqual([]);
  });

  test('as names of a column that an anonymising policy changes, and of its marker: the database does not take them', async () => {
    const text = `kind" = ''; ${DROP}; --`;
    const anonymise = { action: 'anonymise', anonymise: { kind: "''" }, marker_column: 'marked_at' };

    await expect(policy({ ...anonymise, anonymise: { [text]: "''" } })).rejects.toMatchObject({ code: '22023' });
    await expect(policy({ ...anonymise, marker_column: text })).rejects.toMatchObject({ code: '42703' });
    await expect(policy({ ...anonymise, anonymise: { kind: `''; ${DROP}` } })).rejects.toMatchObject({ code: '22023' });
    await expectNothingExecuted(100);
  });

  test('as names of a table and a column that are really called so, and as reason: plain names, their old rows go', async () => {
    const table = `e"; ${DROP}; --`;
    const column = `at" or true; ${DROP}; --`;
    await admin.query(`
      create table app.${quoteIdentifier(table)} (${quoteIdentifier(`id'${column}`)} int primary key, ${quoteIdentifier(column)} timestamptz, kind text);
      insert into app.${quoteIdentifier(table)} select n, now() - make_interval(days => n), 'plain' from generate_series(1, 100) n;
      ${GRANTS}`);
    await policy({ table_name: table, timestamp_column: column, reason: `'; ${DROP}; --` });
    await hold({ table_name: table, reason: `'); ${DROP}; --`, placed_by: `$$; ${DROP}; --` });
    await write('purge_stop', { reason: `'; ${DROP}; --`, lifted_at: '2030-01-01', lifted_by: `'; ${DROP}; --` });

    const { policy: done } = await purge({ requestedBy: `'; ${DROP}; --`, executionId: `'; ${DROP}; --` });

    expect(done).toMatchObject({ state: 'finished', rowsDone: 40, rowsLeft: 1, skipped: { held: 1 } });
    await expectNothingExecuted(100);
  });

  test('as key of a hold: of a text column it is a value, of a number it is refused, of no table the database does not take it', async () => {
    const key = `x'); ${DROP}; --`;
    await admin.query("insert into app.person select $1, now() - interval '90 days'", [key]);
    await admin.query("insert into app.person values ('other', now() - interval '90 days')");
    await policy({ name: 'persons', table_name: 'person' });
    await hold({ table_name: 'person', key_value: key, is_subject: true });

    const { policy: done } = await purge();
    await hold({ key_value: `61); ${DROP}; --` });
    await policy();
    const failure = await failureOf({ policyId: 'events' });

    expect(done).toMatchObject({ rowsDone: 1, rowsLeft: 1, skipped: { held: 1 } });
    expect(failure).toMatchObject({ code: 'purge.refused', problem: expect.stringContaining('is no integer') });
    expect(JSON.stringify(failure)).not.toContain('canary');
    await expect(hold({ table_name: `event"; ${DROP}; --` })).rejects.toMatchObject({ code: '42P01' });
    await expect(hold({ schema_name: `app"; ${DROP}; --` })).rejects.toMatchObject({ code: '42P01' });
    await expectNothingExecuted(100);
  });

  test('as names in a classification: a plain name, whose column is not there when a hold asks for it', async () => {
    await admin.query("insert into app.person values ('ada', now())");
    await write('data_classification', {
      schema_name: 'app',
      table_name: 'event',
      column_name: `kind" = ''); ${DROP}; --`,
      classification: 'INTERNAL',
      pii_category: `'; ${DROP}; --`,
      encryption_required: false,
      subject_schema: 'app',
      subject_table: 'person',
    });
    await policy();
    await hold({ table_name: 'person', key_value: 'ada', is_subject: true });

    const failure = await failureOf();

    expect(failure).toMatchObject({ problem: expect.stringContaining('"events"') });
    await expectNothingExecuted(100);
  });

  test('in an event: the policy does not exist, the table is not there, the key is a value', async () => {
    const text = `'; ${DROP}; --`;
    await admin.query('insert into app.person select $1, now()', [text]);
    const erase = async (more: { table?: string; schema?: string; key?: string }) =>
      await failureOf({ subject: { schema: 'app', table: 'person', key: text, reference: 'DSR-1', ...more } });

    expect(await failureOf({ policyId: text })).toMatchObject({ code: 'purge.refused' });
    expect(await erase({ table: `person"${text}` })).toMatchObject({ code: 'purge.refused' });
    expect(await erase({ schema: `app"${text}` })).toMatchObject({ code: 'purge.refused' });
    expect(await erase({ table: 'event', key: text })).toMatchObject({ code: 'purge.refused' });
    expect(await erase({})).toMatchObject({ result: { complete: true, rowsDone: 1 } });
    await expectNothingExecuted(100);
  });
});
