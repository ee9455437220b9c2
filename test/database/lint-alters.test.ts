// Lint says which ALTERs copy the table or rebuild indexes; the server says what it has done, by relfilenode.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LintCatalog } from '../../functions/migrate/lint/lint-catalog.ts';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { readLintCatalog } from '../../functions/migrate/lint/read-lint-catalog.ts';
import { createRunSchema } from '../../functions/migrate/lint/run-schema.ts';
import { alterCommandsOf, columnOf } from '../../functions/migrate/lint/statement-parts.ts';
import { typeChange } from '../../functions/migrate/lint/type-change.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { splitMigration } from '../../functions/shared/migration-statements.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { alterCases, PREAMBLE } from './lint-alters.ts';
import { filesOfTest } from './migration-files-of-test.ts';

/** The rules that say "this copies the table". */
const REWRITE_RULES = [
  'ban-volatile-default',
  'ban-stored-generated-column',
  'ban-serial-on-existing-table',
  'ban-constrained-domain-column',
  'ban-type-change-with-rewrite',
  'ban-table-copy',
  'ban-vacuum-full',
  'ban-cluster',
];

const cases = alterCases.map((one, index) => {
  const name = `t${index}`;
  const named = (sql: string) => sql.replaceAll(/\bT(?=\b|_)/g, name);
  return { name, create: [named(one.table), ...(one.setup ?? []).map(named)], alter: named(one.alter) };
});

describe.each(['UTC', 'Europe/Athens', 'Europe/London', 'Etc/GMT'])('the time zone is %s', (timeZone) => {
  let fresh: FreshDatabase;
  let client: Client;
  let catalog: LintCatalog;
  beforeAll(async () => {
    fresh = await createFreshDatabase();
    await fresh.query(`alter database ${fresh.name} set timezone to '${timeZone}'`);
    client = await fresh.client();
    await client.query(PREAMBLE);
    for (const { name, create } of cases) {
      for (const sql of create) await client.query(sql);
      await client.query(`insert into ${name} default values`);
    }
    await client.query('analyze');
    catalog = await fresh.database('migrate').withSession(readLintCatalog);
  });
  afterAll(async () => await fresh.drop());

  test.each(cases)('$alter: lint says what the server does', async ({ name, alter }) => {
    const before = await fileNodes(client, name);
    const said = await whatLintSays(catalog, alter, name);

    await client.query(alter);
    const after = await fileNodes(client, name);
    const isRewritten = after.get(name) !== before.get(name);
    const rebuilt = [...after.keys()].filter((key) => key !== name && after.get(key) !== before.get(key)).toSorted();

    expect({ alter, isRewritten: said.isRewritten }).toEqual({ alter, isRewritten });
    if (said.rebuilds !== undefined) expect({ alter, rebuilt: said.rebuilds }).toEqual({ alter, rebuilt });
  });

  test('the time zone of the sessions is the one that the catalog has', () => {
    expect(catalog.timeZone).toBe(timeZone);
  });
});

async function whatLintSays(catalog: LintCatalog, alter: string, table: string) {
  const folder = filesOfTest({ '0001_a.up.sql': alter, '0001_a.down.sql': 'select 1;' });
  const findings = lintMigrations(await readMigrations(folder, true), catalog);
  const { statements } = await splitMigration('a.sql', alter);
  const schema = createRunSchema(catalog);
  const change = statements
    .flatMap(({ tree }) => alterCommandsOf(tree))
    .find(({ subtype }) => subtype === 'AT_AlterColumnType');
  const column = change && columnOf(change);
  const decided =
    column && typeChange(schema, schema.table({ schema: undefined, name: table }), change.command.name ?? '', column);
  const all = [...(catalog.tables.find(({ name }) => name === table)?.indexes ?? [])].map(({ name }) => name);
  return {
    isRewritten: findings.some(({ rule }) => REWRITE_RULES.includes(rule)),
    rebuilds: decided && [...(decided.rewrite === 'yes' ? all : decided.rebuilds)].toSorted(),
  };
}

/** File of the table and of each of its indexes; those of the large values are not looked at. */
async function fileNodes(client: Client, table: string): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; node: number }>(
    `select c.relname as name, c.relfilenode::int as node
     from pg_class c
     where c.oid = $1::regclass or c.oid in (select indexrelid from pg_index where indrelid = $1::regclass)`,
    [table],
  );
  return new Map(rows.map(({ name, node }) => [name, node]));
}
