// `npm run migrate -- verify` without a database, as the tests of a user run it: on a PostgreSQL of its own.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const command = fileURLToPath(new URL('../../local/migrate.ts', import.meta.url));
let folder: string;
/** What the command makes for itself is made here, so that what it leaves is seen. */
let temporary: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-verify-'));
  temporary = mkdtempSync(join(tmpdir(), 'nightshift-test-verify-tmp-'));
  // The server does not run as root.
  chmodSync(temporary, 0o755);
});

afterEach(() => {
  const left = readdirSync(temporary);
  rmSync(folder, { recursive: true });
  rmSync(temporary, { recursive: true });
  expect(left).toEqual([]);
});

async function verify(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { DATABASE_URL: _url, DATABASE_NAME: _name, ...environment } = process.env;
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [command, 'verify', ...args],
      { env: { ...environment, TMPDIR: temporary } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

describe('npm run migrate -- verify, without a database', () => {
  test('the files of the product: certified, and nothing is left of the server', async () => {
    const { code, stdout } = await verify();

    expect(stdout).toMatch(/0001_initial_schema\.up\.sql +│ certified +│ 2 /);
    expect(code).toBe(0);
  });

  test('a down that does not bring a default back: exit code 1, the column and both definitions are named', async () => {
    write({
      '0001_shop.up.sql':
        "create schema shop;\ncreate table shop.orders (id int primary key, state text default 'new');\n",
      '0001_shop.down.sql': 'drop table shop.orders;\ndrop schema shop;\n',
      '0002_state.up.sql': "alter table shop.orders alter column state set default 'open';\n",
      '0002_state.down.sql': 'alter table shop.orders alter column state drop default;\n',
    });

    const { code, stderr } = await verify('--folder', folder);

    expect(stderr).toContain('[migrate.not_certified]');
    expect(stderr).toContain('column "shop"."orders"."state"');
    expect(code).toBe(1);
  });
});
