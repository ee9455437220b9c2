import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listSqlFiles, readSqlFile } from '../../functions/shared/sql-files.ts';

const root = join(import.meta.dirname, '../..');
/** Folders whose files are found by listing them, not by name. */
const LISTED = /^(drill|migrations|nightshift|seeds)\//;

const sources = globSync('{functions,local/purge}/**/*.ts', { cwd: root });

/**
 * What a source file names: whole paths (`backup/tables.sql`), names in the folder of its own job (`blocking.sql` in
 * functions/health/), or patterns where a part of the name is a variable (a lock mode).
 */
function namesIn(source: string): string[] {
  const job = source.split('/')[1] ?? '';
  const quoted = readFileSync(join(root, source), 'utf8').matchAll(/['"`]((?:[a-z0-9/-]|\$\{[^}]+\})+\.sql)['"`]/g);
  return [...quoted].flatMap(([, name = '']) => (name.includes('/') ? [name] : [`${job}/${name}`]));
}

const names = sources.filter((source) => !source.endsWith('backup-layout.ts')).flatMap(namesIn);
const exact = names.filter((name) => !name.includes('$'));
const patterns = names
  .filter((name) => !/^[a-z-]+\/\$\{[^}]+\}$/.test(name))
  .map((name) => new RegExp(`^${name.replaceAll(/\$\{[^}]+\}/g, '[a-z0-9-]+')}$`));
const present = globSync('**/*.sql', { cwd: join(root, 'sql') });

describe('sql/', () => {
  test('every file that the code names: it exists', () => {
    expect(exact.filter((path) => !present.includes(path))).toEqual([]);
    expect(patterns.filter((pattern) => !present.some((path) => pattern.test(path)))).toEqual([]);
    expect(exact.length).toBeGreaterThan(10);
  });

  test('every file: the code names it, or finds it by listing its folder', () => {
    const unused = present.filter((path) => !LISTED.test(path) && !patterns.some((pattern) => pattern.test(path)));

    expect(unused).toEqual([]);
  });

  test('every file: it opens with a comment that says what it answers or does', () => {
    expect(present.filter((path) => !readSqlFile(path).startsWith('-- '))).toEqual([]);
  });

  test('no file includes another or controls transactions', () => {
    expect(present.filter((path) => /^\\i|^\s*(begin|commit|rollback)\s*;/im.test(readSqlFile(path)))).toEqual([]);
  });

  test('listSqlFiles: the files of a folder in order of name', () => {
    const files = listSqlFiles('backup');

    expect(files).toContain('server.sql');
    expect(files).toEqual(files.toSorted());
  });
});
