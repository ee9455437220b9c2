import { describe, expect, test } from 'vitest';
import { productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { compareHistory } from '../../functions/shared/migration-history.ts';

const folderOf = (files: Record<string, string>) => ({
  name: 'migrations',
  list: () => Object.keys(files).toSorted(),
  read: (name: string) => files[name] ?? '',
});
const folderWith = (...names: string[]) => folderOf(Object.fromEntries(names.map((name) => [name, 'select 1;'])));

describe('readMigrations', () => {
  test('good pairs: they come in order of number', async () => {
    const migrations = await readMigrations(
      folderWith('0002_b.up.sql', '0002_b.down.sql', '0001_a.up.sql', '0001_a.down.sql'),
      true,
    );

    expect(migrations.map(({ number, name }) => `${number} ${name}`)).toEqual(['1 a', '2 b']);
  });

  test.each([
    ['a gap', ['0001_a.up.sql', '0001_a.down.sql', '0003_c.up.sql', '0003_c.down.sql'], 'there is none before 0003'],
    ['no first file', ['0002_a.up.sql', '0002_a.down.sql'], 'the first is 0002, not 0001'],
    [
      'a number used twice',
      ['0001_a.up.sql', '0001_a.down.sql', '0001_b.up.sql', '0001_b.down.sql'],
      '0001 is used twice: "a", "b"',
    ],
    ['no down file', ['0001_a.up.sql'], '"0001_a.up.sql" has no "0001_a.down.sql"'],
    ['no up file', ['0001_a.down.sql'], '"0001_a.down.sql" has no "0001_a.up.sql"'],
    ['a number of three digits', ['001_a.up.sql'], '"001_a.up.sql" is not named as a migration'],
    ['a capital letter', ['0001_A.up.sql'], '"0001_A.up.sql" is not named as a migration'],
    ['a stray file', ['notes.sql'], '"notes.sql" is not named as a migration'],
  ])('%s: migrate.files_wrong says so', async (_what, names, problem) => {
    await expect(readMigrations(folderWith(...names), true)).rejects.toMatchObject({
      code: 'migrate.files_wrong',
      problem: expect.stringContaining(problem),
    });
  });

  test('several problems: all are named at once', async () => {
    await expect(readMigrations(folderWith('0001_a.up.sql', '0003_c.down.sql', 'x.sql'), true)).rejects.toMatchObject({
      problem: expect.stringMatching(/x\.sql.*none before 0003.*0001_a\.down\.sql.*0003_c\.up\.sql/),
    });
  });

  test('an empty up file, an empty down file, a contradicting header: each is refused', async () => {
    const pair = (up: string, down: string) =>
      readMigrations(folderOf({ '0001_a.up.sql': up, '0001_a.down.sql': down }), true);

    await expect(pair('-- later\n', 'select 1')).rejects.toThrow('"migrations/0001_a.up.sql" has no statement');
    await expect(pair('select 1', '-- later\n')).rejects.toThrow('"migrations/0001_a.down.sql" has no statement');
    await expect(pair('select 1', '-- nightshift: irreversible because x\nselect 1')).rejects.toThrow(
      'says that it is irreversible, and has statements',
    );
    expect(
      (await pair('select 1', '-- nightshift: irreversible because data is merged\n'))[0]?.irreversibleBecause,
    ).toBe('data is merged');
  });

  test('a header line with an unknown word: refused, so that a misspelt one is no comment', async () => {
    await expect(
      readMigrations(
        folderOf({ '0001_a.up.sql': 'select 1', '0001_a.down.sql': '-- nightshift: ireversible because x\n' }),
        true,
      ),
    ).rejects.toThrow('migrations/0001_a.down.sql:1: the header "nightshift: ireversible because x" is not understood');
  });

  test('the files of the product: both folders are whole and allowed', async () => {
    const migrations = await readMigrations(productFolder('migrations'), true);
    const own = await readMigrations(productFolder('nightshift'), false);

    expect(migrations[0]?.name).toBe('initial_schema');
    expect(migrations.every(({ down }) => (down?.statements.length ?? 0) > 0)).toBe(true);
    expect(own.length).toBeGreaterThanOrEqual(3);
  });
});

describe('compareHistory', () => {
  const record = (number: number, name: string) => ({ number, name, checksum: 'x', applied_at: new Date(0) });

  test('the second is applied and the first is not: refused', async () => {
    const files = await readMigrations(
      folderWith('0001_a.up.sql', '0001_a.down.sql', '0002_b.up.sql', '0002_b.down.sql'),
      true,
    );

    expect(() => compareHistory(files, [record(2, 'b')])).toThrow('1 is not applied, but 2 is');
  });

  test('an applied file was renamed: refused', async () => {
    const files = await readMigrations(folderWith('0001_a.up.sql', '0001_a.down.sql'), true);

    expect(() => compareHistory(files, [record(1, 'z')])).toThrow('1 was applied as "z", but the file is "a"');
  });
});
