import { describe, expect, test } from 'vitest';
import { nearestRule } from '../../../functions/migrate/lint/lint-allows.ts';
import { lintMigrations } from '../../../functions/migrate/lint/lint-migrations.ts';
import { lintRules } from '../../../functions/migrate/lint/lint-rules.ts';
import { modifiersOf } from '../../../functions/migrate/lint/type-modifiers.ts';
import { productFolder, readMigrations } from '../../../functions/shared/migration-files.ts';
import { catalogOf, lintCase } from './lint-case.ts';

const irreversible = '-- nightshift: irreversible because it is a test';

/** The migrations of those files, held in memory. */
async function migrationsOf(...ups: readonly (string | { up: string; down: string })[]) {
  const files = new Map<string, string>();
  ups.forEach((one, index) => {
    const { up, down } = typeof one === 'string' ? { up: one, down: irreversible } : one;
    files.set(`000${index + 1}_a.up.sql`, up).set(`000${index + 1}_a.down.sql`, down);
  });
  return await readMigrations(
    { name: 'migrations', list: () => [...files.keys()].toSorted(), read: (name) => files.get(name) ?? '' },
    true,
  );
}

describe('lintMigrations', () => {
  test('our own migrations and schema nightshift, without a catalog: nothing is found', async () => {
    expect(lintMigrations(await readMigrations(productFolder('migrations'), true), null)).toEqual([]);
    expect(lintMigrations(await readMigrations(productFolder('nightshift'), false), null)).toEqual([]);
  });

  test('no migrations: nothing is found', () => {
    expect(lintMigrations([], null)).toEqual([]);
  });

  test('several files: findings are in order of file and place, the up script before the down script', async () => {
    const migrations = await migrationsOf(
      { up: 'drop table app.a;\nselect 1;\n  drop table app.b;', down: 'update app.c set x = 1;' },
      '-- nightshift: allow ban-char because of the bank\ntruncate app.d;',
    );

    const findings = lintMigrations(migrations, null);

    expect(findings.map(({ file, line, column, rule }) => `${file}:${line}:${column} ${rule}`)).toEqual([
      'migrations/0001_a.up.sql:1:1 ban-drop-table',
      'migrations/0001_a.up.sql:3:3 ban-drop-table',
      'migrations/0001_a.down.sql:1:1 require-batches',
      'migrations/0002_a.up.sql:1:1 ban-unused-allow',
      'migrations/0002_a.up.sql:2:1 ban-truncate',
    ]);
  });

  test('the message: the object, its size from the catalog, or that the catalog would tell it', async () => {
    const sql = 'create index users_a_idx on app.users (a);';
    const live = 'create table app.users (a integer);';

    expect((await lintCase({ sql }))[0]?.message).toContain(
      'on "app.users", whose size is not known here: the live catalog would tell',
    );
    expect((await lintCase({ sql, live }))[0]?.message).toContain('on "app.users" (about 10,000,000 rows, 2.0 GiB)');
  });

  test('what rewrites a small table: a warning only; a large one: an error', async () => {
    const rewrite = { live: 'create table app.a (b integer);', sql: 'alter table app.a alter b type bigint;' };

    expect((await lintCase({ ...rewrite, size: 'small' }))[0]?.severity).toBe('warning');
    expect((await lintCase(rewrite))[0]?.severity).toBe('error');
  });

  test('a table just below and just above the limits: small, and not', async () => {
    const live = await catalogOf({ sql: '' }, 'create table app.a (b integer);');
    const sized = (rows: number | null, bytes: number) => ({
      ...live,
      tables: live.tables.map((table) => ({ ...table, rows, bytes })),
    });
    const migrations = await migrationsOf('create index a_b_idx on app.a (b);');
    const count = (rows: number | null, bytes: number) => lintMigrations(migrations, sized(rows, bytes)).length;

    expect([count(9_999, 10_485_759), count(null, 10_485_759)]).toEqual([0, 0]);
    expect([count(10_000, 8_192), count(1, 10_485_760), count(null, 10_485_760)]).toEqual([1, 1, 1]);
  });

  test('TRUNCATE CASCADE: the tables that go with it are named, through any number of others', async () => {
    const [finding] = await lintCase({
      live: 'create table app.a (id bigint primary key); create table app.b (id bigint primary key, a_id bigint references app.a); create table app.c (b_id bigint references app.b); create table app.d (id bigint);',
      sql: 'truncate app.a cascade;',
    });

    expect(finding?.message).toMatch(/: "app\.a", and with it "app\.b", "app\.c"$/);
  });

  test('names without a schema: the search path finds the table of the catalog', async () => {
    const live = await catalogOf({ sql: '' }, 'create table app.users (a integer);');
    const migrations = await migrationsOf('create index users_a_idx on users (a);');
    const rules = (searchPath: string[]) =>
      lintMigrations(migrations, {
        ...live,
        searchPath,
        tables: live.tables.map((table) => ({ ...table, bytes: 0, rows: 0 })),
      }).map(({ rule }) => rule);

    expect(rules(['nobody', 'app'])).toEqual(['require-schema-name']);
    expect(rules(['nobody'])).toEqual(['require-concurrent-index-creation', 'require-schema-name']);
  });

  test('a down script: what it changes in the schema does not reach the next up script', async () => {
    const migrations = await migrationsOf(
      { up: 'create table app.a (id bigint primary key, b text);', down: 'drop table app.a;' },
      'create index a_b_idx on app.a (b);',
    );
    const empty = await catalogOf({ sql: '' }, 'create table app.z (id bigint);');

    expect(lintMigrations(migrations, empty)).toEqual([]);
  });

  test('10,000 statements on one table in one file: still below a millisecond each', async () => {
    const migrations = await migrationsOf(
      Array.from({ length: 10_000 }, (_, index) => `alter table app.a add column c${index} text;`).join('\n'),
    );

    const before = process.cpuUsage();
    const findings = lintMigrations(migrations, null);
    const { user, system } = process.cpuUsage(before);

    expect(findings.length).toBe(9_999 + 9_940);
    expect((user + system) / 1_000 / 10_000).toBeLessThan(1);
  });
});

describe('allow lines', () => {
  test('a rule that does not exist: an error that names the nearest', async () => {
    const [finding] = await lintCase({ sql: '-- nightshift: allow ban-drop-tables because gone\nselect 1;' });

    expect(finding).toMatchObject({
      rule: 'ban-unknown-allow',
      severity: 'error',
      line: 1,
      statement: '-- nightshift: allow ban-drop-tables because gone',
      instead: 'the nearest name is "ban-drop-table"',
    });
  });

  test('the nearest of a name: itself, and the one with the fewest changes', () => {
    for (const { name } of lintRules) expect(nearestRule(name)).toBe(name);
    expect(nearestRule('require-concurent-index')).toBe('require-concurrent-reindex');
    expect(nearestRule('prefer_jsonb')).toBe('prefer-jsonb');
  });

  test('one line covers every finding of its rule in the file, and none of another file', async () => {
    const allowed =
      '-- nightshift: allow ban-drop-table because both are kept in the archive\ndrop table app.a;\ndrop table app.b;';

    expect(lintMigrations(await migrationsOf(allowed, 'drop table app.c;'), null)).toMatchObject([
      { file: 'migrations/0002_a.up.sql', rule: 'ban-drop-table' },
    ]);
  });

  test('a line without a reason: the file is refused before lint reads it', async () => {
    await expect(migrationsOf('-- nightshift: allow ban-drop-table\nselect 1;')).rejects.toMatchObject({
      code: 'migrate.files_wrong',
    });
  });
});

describe('modifiersOf', () => {
  test.each([
    ['varchar', 24, [20]],
    ['bpchar', 5, [1]],
    ['numeric', ((10 << 16) | 2) + 4, [10, 2]],
    ['numeric', ((5 << 16) | (-2 & 0x7ff)) + 4, [5, -2]],
    ['timestamptz', 3, [3]],
    ['interval', (0x7fff << 16) | 3, [0x7fff, 3]],
    ['interval', (0x7fff << 16) | 0xffff, []],
    ['text', -1, []],
  ])('%s with %i: %j', (type, modifier, expected) => {
    expect(modifiersOf(type, modifier)).toEqual(expected);
  });
});
