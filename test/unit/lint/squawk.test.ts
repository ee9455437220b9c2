// squawk, another linter with another parser, on the SQL that we ship; .squawk.toml says what it leaves out and why.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { listSqlFiles } from '../../../functions/shared/sql-files.ts';

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-squawk-'));
const config = readFileSync(join(root, '.squawk.toml'), 'utf8');
const ours = (['migrations', 'nightshift'] as const).flatMap((name) =>
  listSqlFiles(name).map((file) => `sql/${name}/${file}`),
);

function squawk(configFile: string, files: readonly string[]): { status: number | null; rules: string[] } {
  const run = spawnSync(
    join(root, 'node_modules/.bin/squawk'),
    ['--config', configFile, '--reporter', 'json', ...files],
    { cwd: root, encoding: 'utf8' },
  );
  const found: { rule_name: string }[] = JSON.parse(run.stdout);
  return { status: run.status, rules: [...new Set(found.map((one) => one.rule_name))].toSorted() };
}

describe('squawk', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('our own SQL: it finds nothing', () => {
    expect(ours.length).toBeGreaterThan(4);
    expect(squawk('.squawk.toml', ours)).toEqual({ status: 0, rules: [] });
  });

  test('a file that stops writers: it finds it, so that silence means something', () => {
    const file = join(folder, 'bad.sql');
    writeFileSync(file, 'create index users_email_idx on app.users (email);\n');

    expect(squawk('.squawk.toml', [file])).toEqual({ status: 1, rules: ['require-concurrent-index-creation'] });
  });

  test('the rules that are left out: each has a comment above it, and would say something', () => {
    const [settings = '', list = ''] = config.split('excluded_rules = [');
    const excluded = [...list.matchAll(/"([a-z-]+)"/g)].map(([, name = '']) => name);
    const withoutList = join(folder, 'without.toml');
    writeFileSync(withoutList, settings);

    expect(excluded.filter((name) => !new RegExp(`^  (#.+\n  ("[a-z-]+",\n  )?)"${name}"`, 'm').test(list))).toEqual(
      [],
    );
    expect(squawk(withoutList, ours).rules).toEqual(excluded.toSorted());
  });
});
