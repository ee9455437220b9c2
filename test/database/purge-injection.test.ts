// Texts that try to become SQL, in every place where a person can write one: each is refused, or is no more than a name or a value.
// A function whose call leaves a row behind tells when one was executed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { purgeEvent } from '../../functions/purge/contract.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { createPurgeRoleWorld, type PurgeRoleWorld } from './purge-role-world.ts';

let world: PurgeRoleWorld;
beforeAll(async () => {
  world = await createPurgeRoleWorld();
});
beforeEach(async () => await world.reset());
afterEach(async () => {
  expect(await world.count('app.called')).toBe(0);
  // Whatever a policy said: these are young.
  expect(await world.count('app.event where id <= 60')).toBe(60);
});
afterAll(async () => await world.close());

const ATTACKS = [
  "'; select app.canary(); --",
  '"; select app.canary(); --',
  "event' or app.canary() or '",
  'event" where app.canary() or "1" = "1',
  "\\'$$; select app.canary(); $$",
  '{table} $1 %I',
  'pg_catalog.pg_class',
];

const forget = async () =>
  await world.admin.query(
    'truncate nightshift.retention_policy, nightshift.legal_hold, nightshift.data_classification',
  );

/** What became of it: the SQLSTATE of the one who wrote it, or the code of the run that met it, or what the run did. */
async function outcomeOf(write: () => Promise<void>): Promise<string> {
  try {
    await write();
  } catch (error) {
    await forget();
    return `not written: ${String(Reflect.get(Object(error), 'code'))}`;
  }
  const plan = await world.purge({ dryRun: true }).catch((error: unknown) => error);
  const run = await world.purge().catch((error: unknown) => error);
  const said = (one: unknown) => String(Reflect.get(Object(one), 'code') ?? 'ran');
  await world.admin.query(
    'truncate nightshift.retention_policy, nightshift.legal_hold, nightshift.data_classification',
  );
  return said(plan) === said(run) ? said(run) : `${said(plan)}, then ${said(run)}`;
}

async function outcomesOf(attacks: readonly string[], write: (attack: string) => Promise<void>): Promise<string[]> {
  const outcomes = new Set<string>();
  for (const attack of attacks) outcomes.add(await outcomeOf(async () => await write(attack)));
  return [...outcomes].toSorted();
}

const CHECK_VIOLATION = 'not written: 23514';
const UNDEFINED_TABLE = 'not written: 42P01';
const UNDEFINED_COLUMN = 'not written: 42703';
const INVALID_VALUE = 'not written: 22023';

test('the canary: purge may call it, and a call is seen', async () => {
  const client = await world.client();
  await client.query('select app.canary()');
  await client.end();

  expect(await world.count('app.called')).toBe(1);
  await world.admin.query('truncate app.called');
});

describe('nightshift.retention_policy', () => {
  const anonymise = { action: 'anonymise', marker_column: 'done_at' };

  test.each<[string, (text: string) => Parameters<PurgeRoleWorld['addPolicy']>[0], string[]]>([
    ['name', (name) => ({ name }), [CHECK_VIOLATION]],
    ['schema_name', (schema_name) => ({ schema_name }), [UNDEFINED_TABLE]],
    ['table_name', (table_name) => ({ table_name }), [UNDEFINED_TABLE]],
    ['timestamp_column', (timestamp_column) => ({ timestamp_column }), [UNDEFINED_COLUMN]],
    ['predicate', (predicate) => ({ predicate }), [CHECK_VIOLATION, 'purge.refused']],
    ['action', (action) => ({ action }), [CHECK_VIOLATION]],
    ['marker_column', (text) => ({ ...anonymise, anonymise: { kind: "''" }, marker_column: text }), [UNDEFINED_COLUMN]],
    ['a key of anonymise', (key) => ({ ...anonymise, anonymise: { [key]: "''" } }), [INVALID_VALUE]],
    [
      'an expression of anonymise',
      (text) => ({ ...anonymise, anonymise: { kind: text } }),
      [INVALID_VALUE, 'purge.refused'],
    ],
  ])('%s: refused, or a text like any other', async (_, policy, expected) => {
    expect(await outcomesOf(ATTACKS, async (text) => await world.addPolicy(policy(text)))).toEqual(expected);
  });

  /** None has a semicolon or a comment; each would leave its brackets if nothing looked. */
  const ESCAPES = [
    'true) or (app.canary()',
    'true] , array[true',
    'true]::boolean[], array[app.canary()',
    "true and t.kind <> ' ] , (true",
    "true ]::boolean[], '' from app.event as t where (app.canary() or t.kind <> '",
    'true and t.kind <> $$ ] , (true',
    'true and t.kind <> $a$ ] , (true',
    'true and " ] , (true',
    'true) or exists (select app.canary()',
    'true) returning (app.canary()',
    'true) union all (select app.canary()',
    'exists (with gone as (delete from app.event returning 1) select from gone)',
    'exists (with new as (insert into app.called default values returning 1) select from new)',
    'select app.canary()',
    'values (app.canary())',
    'table app.event',
    'true order by app.canary()',
    'kind = $ 1',
    "kind = U&'\\0027' uescape",
    'variadic array[true]',
    'default',
    '*',
    ')',
    ']',
  ];

  test.each<[string, (text: string) => Parameters<PurgeRoleWorld['addPolicy']>[0]]>([
    ['predicate', (predicate) => ({ predicate })],
    ['an expression of anonymise', (text) => ({ ...anonymise, anonymise: { kind: text } })],
  ])(
    '%s that leaves its brackets: the server does not take it as one expression, so nothing runs',
    async (_, policy) => {
      for (const text of ESCAPES) {
        const outcome = await outcomeOf(async () => await world.addPolicy(policy(text)));
        expect({ text, outcome }).toEqual({ text, outcome: 'purge.refused' });
      }
      expect(await world.count('app.event')).toBe(100);
      expect(await world.count('app.event where done_at is not null')).toBe(0);
    },
  );

  test('texts within a predicate and an expression that look like SQL or like a place of a template: values', async () => {
    for (const [index, text] of ATTACKS.filter((one) => !/;|--|\$\d/.test(one)).entries()) {
      const literal = text.replaceAll("'", "''");
      await world.admin.query('update app.event set kind = $1 where id = $2', [text, 100 - index]);
      await world.addPolicy({ name: `old-${index}`, predicate: `kind = '${literal}'` });
      await world.purge();
      expect(await world.count('app.event')).toBe(99 - index);

      await world.admin.query('truncate nightshift.retention_policy');
      await world.addPolicy({
        name: `new-${index}`,
        ...anonymise,
        anonymise: { kind: `'${literal}'` },
        predicate: `id = ${70 - index}`,
      });
      await world.purge();
      expect(await world.count('app.event where kind = $1', [text])).toBe(1);
      await world.admin.query('truncate nightshift.retention_policy');
    }
  });
});

describe('nightshift.legal_hold', () => {
  const hold = { schema_name: 'app', table_name: 'event', key_value: '100', reason: 'case 1' };

  test.each([
    ['schema_name', [UNDEFINED_TABLE]],
    ['table_name', [UNDEFINED_TABLE]],
    // No bigint: what it means to hold cannot be told.
    ['key_value', ['purge.refused']],
  ])('%s: refused', async (column, expected) => {
    const outcomes = await outcomesOf(ATTACKS, async (text) => {
      await world.addPolicy();
      await world.insert('legal_hold', { ...hold, [column]: text });
    });

    expect(outcomes).toEqual(expected);
    expect(await world.count('app.event')).toBe(100);
  });

  test('reasons and names of people, also of the policy and its certificate: kept as they are', async () => {
    await world.addPolicy({ reason: ATTACKS.join('\n') });
    for (const text of ATTACKS) await world.insert('legal_hold', { ...hold, reason: text, placed_by: text });

    const { policies } = await world.purge();

    expect(policies[0]).toMatchObject({ state: 'finished', rowsDone: 39, skipped: { held: 1 } });
    const certificate = await world.store.getText(policies[0]?.certificateKey ?? '');
    expect(JSON.parse(certificate ?? '')).toMatchObject({ policy: { reason: ATTACKS.join('\n') } });
  });

  test.each([
    ['of one column', 'key', (text: string) => text],
    ['of two columns', 'key, part', (text: string) => JSON.stringify([text, text])],
  ])('a key that is such a text (%s): exactly that row is held', async (_, columns, keyOf) => {
    await world.admin.query(`
      create table app.file (key text, part text, at timestamptz, primary key (${columns}));
      grant select, update, delete on app.file to nightshift_purge`);
    for (const text of ATTACKS) {
      await world.admin.query("insert into app.file values ($1, $1, now() - interval '1 year')", [text]);
    }
    const [held = ''] = ATTACKS;
    await world.addPolicy({ table_name: 'file' });
    for (const text of ATTACKS.slice(0, 4))
      await world.insert('legal_hold', { ...hold, table_name: 'file', key_value: keyOf(text) });

    const { policies } = await world.purge();

    expect(policies[0]).toMatchObject({ rowsDone: ATTACKS.length - 4, skipped: { held: 4 } });
    expect(await world.count('app.file where key = $1', [held])).toBe(1);
  });
});

describe('nightshift.data_classification', () => {
  const classification = {
    schema_name: 'app',
    table_name: 'event',
    column_name: 'kind',
    classification: 'CONFIDENTIAL',
    pii_category: 'reference',
    encryption_required: false,
    subject_schema: 'app',
    subject_table: 'person',
  };
  beforeEach(async () => {
    await world.admin.query(`
      create table app.person (id text primary key);
      insert into app.person values ('7');
      grant select, update, delete on app.person to nightshift_purge`);
  });

  beforeEach(async () => {
    await world.addPolicy();
    await world.insert('legal_hold', {
      schema_name: 'app',
      table_name: 'person',
      key_value: '7',
      is_subject: true,
      reason: 'case 1',
    });
  });

  test('names of what is not there beside a hold on a person: names, and the run tells them', async () => {
    for (const text of ATTACKS) {
      await world.insert('data_classification', { ...classification, column_name: 'a', schema_name: text });
      await world.insert('data_classification', { ...classification, column_name: 'b', table_name: text });
      await world.insert('data_classification', { ...classification, column_name: text, table_name: 'nothing' });
      const subject = { subject_schema: text, subject_table: text, pii_category: text };
      await world.insert('data_classification', { ...classification, ...subject, column_name: text });
    }

    const { policies, piiWithoutPolicy } = await world.purge();

    expect(policies).toMatchObject([{ state: 'finished', rowsDone: 40 }]);
    const nothing = piiWithoutPolicy.find(({ table }) => table === 'app.nothing');
    expect(nothing?.columns.toSorted()).toEqual(ATTACKS.toSorted());
  });

  test.each(ATTACKS)(
    'a column of a table that is there, which has no column %s: the hold cannot be looked up, so nothing is deleted',
    async (text) => {
      await world.insert('data_classification', { ...classification, column_name: text });

      await expect(world.purge()).rejects.toMatchObject({ problem: expect.stringContaining('does not exist') });

      expect(await world.count('app.event')).toBe(100);
    },
  );

  test.each(ATTACKS)('a classification that is none (%s): refused', async (text) => {
    await expect(
      world.insert('data_classification', { ...classification, classification: text }),
    ).rejects.toMatchObject({ constraint: 'data_classification_known' });
  });
});

describe('the event', () => {
  beforeEach(async () => {
    await world.admin.query(`
      create table app.person (id text primary key);
      create table app.account (id int primary key, person_id text references app.person (id));
      create table app.customer (id int primary key);
      insert into app.customer values (7);
      grant select, update, delete on app.person, app.account, app.customer to nightshift_purge`);
    for (const [index, text] of ATTACKS.entries()) {
      await world.admin.query('insert into app.person values ($1)', [text]);
      await world.admin.query('insert into app.account values ($1, $2)', [index, text]);
    }
  });
  const reference = 'DSR-2026-17';

  test('a reference that is more than letters, digits and a few signs: refused before anything is opened', () => {
    for (const text of ATTACKS.filter((one) => one !== 'pg_catalog.pg_class')) {
      const event = { job: 'purge', requestedBy: 'ana', subject: { table: 'person', key: '7', reference: text } };
      expect(purgeEvent.safeParse(event).error?.issues[0]?.path).toEqual(['subject', 'reference']);
    }
  });

  test.each<[string, (text: string) => Parameters<PurgeRoleWorld['purge']>[0]]>([
    ['policyId', (policyId) => ({ policyId })],
    ['subject.table', (table) => ({ subject: { table, key: '7', reference } })],
    ['subject.schema', (schema) => ({ subject: { schema, table: 'customer', key: '7', reference } })],
    ['subject.key of an integer', (key) => ({ subject: { table: 'customer', key, reference } })],
  ])('%s: refused as a name or a key that is not there', async (_, event) => {
    for (const text of ATTACKS) {
      await expect(world.purge(event(text))).rejects.toMatchObject({ code: 'purge.refused' });
    }
    expect(await world.count('app.customer')).toBe(1);
    expect(await world.count('app.person')).toBe(ATTACKS.length);
  });

  test('the key of a person is such a text: exactly this one is erased, and neither record nor certificate has the key', async () => {
    for (const [index, key] of ATTACKS.entries()) {
      const { policies } = await world.purge({ subject: { table: 'person', key, reference: `case-${index}` } });
      const certificate = await world.store.getText(policies[0]?.certificateKey ?? '');
      const written = JSON.stringify(key).slice(1, -1);

      expect(await world.count('app.person')).toBe(ATTACKS.length - index - 1);
      expect(await world.count('app.account where person_id = $1', [key])).toBe(0);
      expect(certificate).toContain(`case-${index}`);
      expect(certificate).not.toContain(written);
      expect(
        await world.count('nightshift.purge_run as run where position($1 in to_jsonb(run)::text) > 0', [written]),
      ).toBe(0);
    }
  });

  test('who asked and for which execution: kept as they are', async () => {
    await world.addPolicy();
    for (const text of ATTACKS) await world.purge({ requestedBy: text, executionId: `${text} ` });

    const { rows } = await world.admin.query<{ who: string }>(
      'select requested_by as who from nightshift.purge_run order by purge_run_id',
    );
    expect(rows.map(({ who }) => who)).toEqual(ATTACKS);
  });
});

test('schema, tables, columns, keys and constraints with such names: their rows are archived, deleted and certified', async () => {
  const names = [
    '"; select app.canary(); --',
    "'); select app.canary(); --",
    '{table} $1 %I',
    '../../other/x',
    'a.b"c',
  ];
  for (const name of names) {
    const q = quoteIdentifier(name);
    await world.admin.query(`drop schema if exists ${q} cascade; create schema ${q}`);
    await world.admin.query(`
      create table ${q}.${q} (${q} timestamptz not null, ${quoteIdentifier(`${name}2`)} text, constraint ${quoteIdentifier(`${name}4`)} primary key (${quoteIdentifier(`${name}2`)}));
      create table ${q}.${quoteIdentifier(`${name}3`)} (${q} text, constraint ${q} foreign key (${q}) references ${q}.${q} on delete cascade);
      insert into ${q}.${q} select now() - make_interval(days => age), age::text from generate_series(1, 100) as age;
      insert into ${q}.${quoteIdentifier(`${name}3`)} select age::text from generate_series(1, 100) as age;
      grant usage on schema ${q} to nightshift_purge;
      grant select, update, delete on all tables in schema ${q} to nightshift_purge`);
    await world.insert('legal_hold', { schema_name: name, table_name: name, key_value: '100', reason: name });
    await world.addPolicy({
      schema_name: name,
      table_name: name,
      timestamp_column: name,
      archive_before_delete: true,
      reason: name,
    });

    const plan = await world.purge({ dryRun: true });
    const { policies } = await world.purge();
    await world.admin.query('truncate nightshift.retention_policy, nightshift.legal_hold');

    expect(plan.policies[0]?.plan).toMatchObject({ rows: 40, children: [{ rows: 40 }] });
    expect(policies[0]).toMatchObject({
      state: 'finished',
      rowsDone: 39,
      skipped: { held: 1 },
      children: [{ table: `${name}.${name}3`, deleted: 39 }],
      archive: { rows: 78, objects: 2 },
    });
    expect(policies[0]?.certificateKey).toMatch(/^shop\/purged\/events\/\d+\/certificate\.json$/);
    await world.admin.query(`drop schema ${q} cascade`);
  }
});
