import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { drillRecordOf } from '../support/drill-record-of.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { type RestoreEnd, restoreCommand, startRestore, targetUrl } from '../support/restore-command.ts';
import { verify } from '../support/verify-job.ts';

const READINGS = 60_000;
const owner = `owner_${randomBytes(4).toString('hex')}`;

let aws: LocalAws;
let source: BackupSource;
let verified: string;
let unverified: string;
let broken: string;
const made: string[] = [];

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, READINGS);
  const { query } = source.fresh;
  await query(`create role ${owner} nologin; grant usage on schema app to ${owner}`);
  await query(`alter table app.notes owner to ${owner}`);
  await query('create index readings_value on app.readings (value)');
  await query('create table app.orders (id serial primary key, note int not null references app.notes)');
  await query('insert into app.orders (note) select n from generate_series(1, 500) n');
  await query("create schema audit; create table audit.log (id int, what text); insert into audit.log values (1, 'x')");
  await query("select lo_from_bytea(60001, 'a large object')");
  ({ backupId: verified } = await source.backUp());
  await verify({ database: 'shop', clients: source.clients });
  ({ backupId: broken } = await source.backUp());
  const drill = drillRecordOf(broken, { database: 'shop', outcome: 'different', problem: 'a row is missing' });
  const { drilledPrefix } = backupKeys('shop', broken);
  await createObjectStore(BUCKET).putNew(`${drilledPrefix}drill-1.json`, JSON.stringify(drill), 'application/json');
  ({ backupId: unverified } = await source.backUp());
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  for (const name of made) await source.fresh.query(`drop database if exists ${quoteIdentifier(name)}`);
  await source.fresh.query(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`);
  await source.drop();
  await aws.stop();
});

/** A name that no other test has; the database is dropped at the end of the file. */
function newName(): string {
  const name = `restored_${randomBytes(5).toString('hex')}`;
  made.push(name);
  return name;
}

async function sql(dbname: string, text: string): Promise<string> {
  const { user, password } = inject('cluster');
  const client = await source.fresh.client({ user, password, database: dbname });
  try {
    // Of several statements the last one answers.
    const results = [await client.query({ text, rowMode: 'array' })].flat();
    const rows: unknown[][] = results.at(-1)?.rows ?? [];
    return rows.map((row) => row.map(String).join('|')).join('\n');
  } finally {
    await client.end();
  }
}

const exists = async (dbname: string) =>
  (await sql('postgres', `select count(*) from pg_database where datname = '${dbname}'`)) === '1';

const tablesOf = async (dbname: string) =>
  await sql(
    dbname,
    "select table_schema, table_name from information_schema.tables where table_schema !~ '^(pg_|information_schema)' order by 1, 2",
  );

const ALL_TABLES = 'app|notes\napp|orders\napp|readings\naudit|log';

/** The same rows, indexes, constraints, owners, sequences and large objects as the source. */
async function expectWhole(dbname: string): Promise<void> {
  for (const text of [
    'select count(*), sum(hashtext(n::text)) from app.notes n',
    'select count(*), sum(hashtext(r::text)) from app.readings r',
    'select count(*), sum(hashtext(o::text)) from app.orders o',
    'select count(*) from audit.log',
    'select last_value, is_called from app.readings_id_seq',
    'select last_value, is_called from app.orders_id_seq',
    "select indexdef from pg_indexes where schemaname in ('app', 'audit') order by 1",
    "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = to_regnamespace('app') order by 1",
    "select tableowner from pg_tables where tablename = 'notes'",
    "select convert_from(lo_get(60001), 'UTF8')",
  ]) {
    expect([text, await sql(dbname, text)]).toEqual([text, await sql(source.fresh.name, text)]);
  }
  expect(await tablesOf(dbname)).toBe(ALL_TABLES);
  expect(await sql(dbname, "select to_regnamespace('nightshift_restore') is null")).toBe('true');
}

const expectExit = (end: RestoreEnd, exitCode: number) =>
  expect({ ...end, stdout: '' }).toMatchObject({ exitCode, stderr: expect.any(String) });

describe('npm run restore', () => {
  test('--create, nothing else: the newest verified backup is restored whole, and newer unproven ones are named', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create']);

    expectExit(end, 0);
    expect(end.stdout).toContain(`Backup ${verified} of "shop"`);
    expect(end.stdout).toContain(`Passed over: the newer backup ${unverified}, NOT verified`);
    expect(end.stdout).toContain(`Passed over: the newer backup ${broken}, BROKEN`);
    expect(end.stdout).toMatch(/Restored 4 tables, 61,501 rows, 1 large objects? in /);
    expect(end.stdout).toContain('Not restored: settings and privileges of the database itself');
    await expectWhole(name);
  });

  test('what it asks S3 for: lists and reads, nothing that needs another right', async () => {
    const asked = new Set<string>();
    aws.setFault(({ operation }) => {
      asked.add(operation);
      return undefined;
    });

    const end = await restoreCommand(['--target-url', targetUrl(newName()), '--create', '--table', 'app.notes']);

    expectExit(end, 0);
    expect([...asked].toSorted()).toEqual(['GetObject', 'ListObjectsV2']);
  });

  test('without a terminal: a line for each stage on standard error, and no colour or cursor codes', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(newName()), '--create']);

    expectExit(end, 0);
    const lines = end.stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual(['structure', 'rows', 'privileges', 'statistics']);
    expect(`${end.stdout}${end.stderr}`).not.toMatch(/[\u001b\r]/);
  });

  test('progress when S3 is slow: a line after ten seconds with bytes, tables and time', {
    timeout: 60_000,
  }, async () => {
    aws.setFault(({ key, operation }) =>
      operation === 'GetObject' && key.endsWith('.dat.gz') ? { delayMs: 11_000 } : undefined,
    );

    const end = await restoreCommand(['--target-url', targetUrl(newName()), '--create', '--table', 'app.notes']);

    expectExit(end, 0);
    expect(end.stderr).toMatch(/^rows .* 0 %  0 B of .* KiB  0 of 1 tables  0 of 1 indexes and keys  1\d s$/m);
  });

  test('the database is missing and --create is not given: refused, and --create is the hint', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name)]);

    expectExit(end, 1);
    expect(end.stderr).toContain(`database "${name}" does not exist on server`);
    expect(end.stderr).toContain('say --create');
    expect(await exists(name)).toBe(false);
  });

  test('a wrong password: refused in the words of a URL, without the password', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(newName())], { PGPASSWORD: 'wrong-one' });

    expectExit(end, 1);
    expect(end.stderr).toMatch(/refused the password of role "postgres"\. Nothing was restored\. Hint: check role and/);
    expect(end.stderr).not.toContain('wrong-one');
  });

  test('a role of the backup is missing on the server: it is named before anything is restored', async () => {
    const name = newName();
    await sql('postgres', `alter role ${owner} rename to ${owner}_away`);

    const warned = await restoreCommand(['--target-url', targetUrl(name), '--create']);
    const without = await restoreCommand(['--target-url', targetUrl(name), '--no-owner', '--no-privileges']);
    await sql('postgres', `alter role ${owner}_away rename to ${owner}`);

    expectExit(warned, 1);
    expect(warned.stdout).toContain(`This server lacks roles of the backup: "${owner}"; what names them will fail`);
    expect(warned.stderr).toContain(`role "${owner}" does not exist`);
    expectExit(without, 0);
    expect(await sql(name, "select tableowner from pg_tables where tablename = 'notes'")).toBe('postgres');
  });
});

describe('npm run restore of a part', () => {
  test('--schema: its tables with rows and indexes, and nothing of another schema', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema', 'app']);

    expectExit(end, 0);
    expect(await tablesOf(name)).toBe('app|notes\napp|orders\napp|readings');
    expect(await sql(name, 'select count(*) from app.readings')).toBe(String(READINGS));
    expect(await sql(name, "select count(*) from pg_indexes where indexname = 'readings_value'")).toBe('1');
  });

  test('--table: the table with rows, key, default and value of its sequence; the foreign key is named as left out', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--table', 'app.orders']);

    expectExit(end, 0);
    expect(await tablesOf(name)).toBe('app|orders');
    expect(end.stdout).toContain(
      'Left out, because it needs tables that were not chosen:\n  FK CONSTRAINT "app"."orders',
    );
    expect(await sql(name, 'select count(*) from app.orders')).toBe('500');
    expect(await sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('501');
  });

  test('--schema-only: every table, index and key, and no row', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema-only']);

    expectExit(end, 0);
    expect(end.stdout).toContain('Restored the definitions, and no rows, in ');
    expect(await tablesOf(name)).toBe(ALL_TABLES);
    expect(await sql(name, 'select (select count(*) from app.notes), (select count(*) from app.readings)')).toBe('0|0');
    expect(await sql(name, "select count(*) from pg_constraint where conname = 'orders_note_fkey'")).toBe('1');
  });

  test('--data-only --table, into a table in use that was emptied: its rows are back, its sequence does not go back', async () => {
    const name = newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create']);
    await sql(name, 'truncate app.orders');
    expect(await sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('501');
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'app.orders'];

    const refused = await restoreCommand(args);
    const end = await restoreCommand([...args, '--allow-non-empty']);

    expectExit(refused, 1);
    expect(refused.stderr).toMatch(/it must be empty\..* \[restore\.target_not_empty\]\n$/);
    expectExit(end, 0);
    expect(end.stdout).toContain('Sequences were left as they are');
    expect(await sql(name, 'select count(*), max(id) from app.orders')).toBe('501|501');
    expect(await sql(name, 'insert into app.orders (note) values (1) returning id')).toBe('502');
    expect(await sql(name, 'select count(*) from app.notes')).toBe('1000');
  });

  test('--data-only --table, and rows are there already: refused by the key, nothing is changed, and the way is named', async () => {
    const name = newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create']);
    await sql(name, "update app.notes set body = 'newer' where id = 1; delete from app.notes where id = 1000");
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'app.notes', '--allow-non-empty'];

    const end = await restoreCommand(args);

    expectExit(end, 1);
    expect(end.stderr).toContain('COPY into "app"."notes" failed (SQLSTATE 23505)');
    expect(end.stderr).toContain('how to put back only what is missing');
    expect(await sql(name, 'select count(*), min(body) filter (where id = 1) from app.notes')).toBe('999|newer');
    // What was begun is recorded: another selection is refused until somebody gives this one up.
    const other = await restoreCommand([
      '--target-url',
      targetUrl(name),
      '--data-only',
      '--table',
      'audit.log',
      '--allow-non-empty',
    ]);
    expectExit(other, 1);
    expect(other.stderr).toContain('drop schema nightshift_restore cascade');
  });

  test('the server fails in the middle (no space): a message without a stack, and the same command goes on', async () => {
    const name = newName();
    await restoreCommand(['--target-url', targetUrl(name), '--create', '--schema-only']);
    await sql(
      name,
      "create function no_space() returns trigger language plpgsql as $$ begin raise 'no space' using errcode = '53100'; end $$",
    );
    await sql(name, 'create trigger no_space before insert on audit.log execute function no_space()');
    const args = ['--target-url', targetUrl(name), '--data-only', '--table', 'audit.log', '--allow-non-empty'];

    const failed = await restoreCommand(args);
    await sql(name, 'drop trigger no_space on audit.log');
    const end = await restoreCommand(args);

    expectExit(failed, 1);
    expect(failed.stderr).toContain('(SQLSTATE 53100): no space. What was restored before is in the target');
    expect(failed.stderr).not.toMatch(/\n\s+at /);
    expectExit(end, 0);
    expect(await sql(name, 'select count(*) from audit.log')).toBe('1');
  });

  test('a table that is not in the backup: refused by its name, nothing is restored', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--table', 'app.Notes']);

    expectExit(end, 1);
    expect(end.stderr).toContain(`backup ${verified} holds no table "app"."Notes"; it has 4 tables with rows`);
    expect(await tablesOf(name)).toBe('');
  });
});

describe('npm run restore --dry-run', () => {
  test('of a database that is missing: the plan, and it is not made', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--dry-run']);

    expectExit(end, 0);
    expect(end.stdout).toContain(`Would restore into "${name}" on localhost:`);
    expect(end.stdout).toContain(', which would be made: whole database');
    expect(end.stdout).toMatch(/"app"\."readings" {2}60,000 rows {2}.* MiB/);
    expect(end.stdout).toContain('Dry run: nothing was changed');
    expect(await exists(name)).toBe(false);
  });

  test('of a database that is not empty: refused as the restore would be', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(source.fresh.name), '--dry-run']);

    expectExit(end, 1);
    expect(end.stderr).toContain('it must be empty. Nothing was changed');
    expect(await sql(source.fresh.name, 'select count(*) from app.notes')).toBe('1000');
  });

  test('of a database with another restore that was not ended: refused; with its own: it would go on', async () => {
    const name = newName();
    aws.setFault(({ key, operation }) =>
      operation === 'GetObject' && key.endsWith('.dat.gz') ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    const failed = await restoreCommand(['--target-url', targetUrl(name), '--create']);
    aws.setFault(undefined);

    const other = await restoreCommand(['--target-url', targetUrl(name), '--dry-run', '--schema', 'app']);
    const same = await restoreCommand(['--target-url', targetUrl(name), '--dry-run']);

    expectExit(failed, 1);
    expect(failed.stderr).toContain('AccessDenied');
    expectExit(other, 1);
    expect(other.stderr).toContain('that was not ended; it cannot go on with');
    expectExit(same, 0);
    expect(same.stdout).toContain('Would go on with the restore into');
    expect(await sql(name, 'select count(*) from app.readings')).toBe('0');
  });
});

describe('npm run restore of a backup that is not proven', () => {
  test('never verified: refused, and restored with --allow-unproven', async () => {
    const name = newName();
    const args = ['--target-url', targetUrl(name), '--create', '--backup', unverified];

    const refused = await restoreCommand(args);
    expect(await exists(name)).toBe(false);
    const allowed = await restoreCommand([...args, '--allow-unproven']);

    expectExit(refused, 1);
    expect(refused.stderr).toContain(`backup ${unverified} was never read back`);
    expectExit(allowed, 0);
    expect(allowed.stdout).toContain('NOT verified: nobody has read it back yet');
    await expectWhole(name);
  });

  test('broken: refused, with the way to take it all the same', async () => {
    const name = newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--backup', broken]);

    expectExit(end, 1);
    expect(end.stderr).toContain(`backup ${broken} is broken`);
    expect(end.stderr).toContain('--allow-unproven');
    expect(await exists(name)).toBe(false);
  });

  test.each([
    ['a backup that is not there', ['--backup', '20000101T000000Z'], 'holds no complete backup "20000101T000000Z"'],
    [
      'a database without backups',
      ['--database', 'other'],
      'holds no verified backup of "other"; it has 0 that are not',
    ],
    ['a bucket that is not there', ['--bucket', 'missing'], 'bucket "missing" failed: NoSuchBucket'],
  ])('%s: refused by its name', async (_, more, expected) => {
    const end = await restoreCommand(['--target-url', targetUrl(newName()), ...more]);

    expectExit(end, 1);
    expect(end.stderr).toContain(expected);
  });
});

describe('npm run restore with wrong options', () => {
  test.each([
    [['--jobs', '99'], '--jobs is "99"; it must be a whole number from 1 to 32'],
    [['--backup', 'yesterday'], '--backup is "yesterday"; it must be the id of a backup, as 20261122T020000Z'],
    [['--table', 'notes'], '--table is "notes"; it must be schema.name'],
    [['--schema-only', '--data-only'], '--schema-only and --data-only are both given; only one of them may be'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j: exit code 2, the value and what is allowed, before anything is read', async (more, expected) => {
    const end = await restoreCommand(['--target-url', targetUrl('nowhere'), ...more], { AWS_ENDPOINT_URL_S3: '' });

    expectExit(end, 2);
    expect(end.stdout).toBe('');
    expect(end.stderr).toContain(`${expected}. Nothing was read or changed`);
  });

  test('no file of authorities: exit code 2, and the variable that names one', async () => {
    const end = await restoreCommand(['--target-url', targetUrl('nowhere')], { PGSSLROOTCERT: '/nowhere.pem' });

    expectExit(end, 2);
    expect(end.stderr).toContain('"/nowhere.pem" cannot be read');
    expect(end.stderr).toContain('PGSSLROOTCERT');
  });

  test('--help: every option, exit code 0', async () => {
    const end = await restoreCommand(['--help']);

    expectExit(end, 0);
    expect(end.stdout).toContain('--target-url URL');
    expect(end.stdout).toContain('--dry-run');
  });
});

describe('npm run restore, Ctrl-C midway', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: its exit code, no session is left, and the same command completes the restore',
    async (signal) => {
      const name = newName();
      const { readings } = await keysOfTables();
      aws.setFault(({ key, operation }) => (operation === 'GetObject' && key === readings ? 'hang' : undefined));
      const { child, ended } = startRestore(['--target-url', targetUrl(name), '--create']);
      const doneSteps = async () =>
        Number(await sql(name, "select count(*) from nightshift_restore.step where name like 'rows %'"));
      await vi.waitUntil(async () => (await exists(name)) && (await doneSteps().catch(() => 0)) >= 3, {
        timeout: 20_000,
        interval: 100,
      });

      child.kill(signal);
      const end = await ended;

      expectExit(end, signal === 'SIGINT' ? 130 : 143);
      expect(end.stderr).toContain(`stopped by ${signal}; the same command goes on where it stopped`);
      await expectNoSession(name);
      expect(await sql(name, 'select count(*) from app.readings')).toBe('0');

      aws.setFault(undefined);
      const again = await restoreCommand(['--target-url', targetUrl(name), '--create']);

      expectExit(again, 0);
      await expectWhole(name);
    },
    60_000,
  );
});

/** The key of the rows of each table of the verified backup. */
async function keysOfTables(): Promise<{ readings: string }> {
  const text = await createObjectStore(BUCKET).getText(backupKeys('shop', verified).manifest);
  const manifest: { tables: { name: string; key: string }[] } = JSON.parse(text ?? '{"tables":[]}');
  const readings = manifest.tables.find(({ name }) => name === 'readings')?.key;
  if (readings === undefined) throw new Error('the manifest has no table app.readings');
  return { readings };
}

async function expectNoSession(dbname: string): Promise<void> {
  const left = async () =>
    await sql(
      'postgres',
      `select pid, query from pg_stat_activity where datname = '${dbname}' and application_name = 'nightshift/restore'`,
    );
  // The server ends a session a moment after its client is gone.
  for (let waited = 0; waited < 50 && (await left()) !== ''; waited += 1) await sleep(100);
  expect(await left()).toBe('');
}
