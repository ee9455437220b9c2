import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { createRestorableSource, type RestorableSource } from '../support/restorable-source.ts';
import { expectExit, restoreCommand, startRestore, targetUrl } from '../support/restore-command.ts';

let aws: LocalAws;
let source: RestorableSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createRestorableSource(aws);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

describe('npm run restore', () => {
  test('--create, nothing else: the newest verified backup is restored whole, and newer unproven ones are named', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create']);

    expectExit(end, 0);
    expect(end.stdout).toContain(`Backup ${source.verified} of "shop"`);
    expect(end.stdout).toContain(`Passed over: the newer backup ${source.unverified}, NOT verified`);
    expect(end.stdout).toContain(`Passed over: the newer backup ${source.broken}, BROKEN`);
    expect(end.stdout).toMatch(/Restored 4 tables, 61,501 rows, 1 large objects? in /);
    expect(end.stdout).toContain('Not restored: settings and privileges of the database itself');
    await source.expectWhole(name);
  });

  test('what it asks S3 for: lists and reads, nothing that needs another right', async () => {
    const asked = new Set<string>();
    aws.setFault(({ operation }) => {
      asked.add(operation);
      return undefined;
    });

    const end = await restoreCommand(['--target-url', targetUrl(source.newName()), '--create', '--table', 'app.notes']);

    expectExit(end, 0);
    expect([...asked].toSorted()).toEqual(['GetObject', 'ListObjectsV2']);
  });

  test('without a terminal: a line for each stage on standard error, and no colour or cursor codes', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(source.newName()), '--create']);

    expectExit(end, 0);
    const lines = end.stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual(['structure', 'rows', 'privileges', 'statistics']);
    expect(`${end.stdout}${end.stderr}`).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test('progress when S3 is slow: a line after ten seconds with bytes, tables and time', {
    timeout: 60_000,
  }, async () => {
    aws.setFault(({ key, operation }) =>
      operation === 'GetObject' && key.endsWith('.dat.gz') ? { delayMs: 11_000 } : undefined,
    );

    const end = await restoreCommand(['--target-url', targetUrl(source.newName()), '--create', '--table', 'app.notes']);

    expectExit(end, 0);
    expect(end.stderr).toMatch(/^rows .* 0 %  0 B of .* KiB  0 of 1 tables  0 of 1 indexes and keys  (?:9|1\d) s$/m);
  });

  test('the database is missing and --create is not given: refused, and --create is the hint', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name)]);

    expectExit(end, 1);
    expect(end.stderr).toContain(`database "${name}" does not exist on server`);
    expect(end.stderr).toContain('say --create');
    expect(await source.exists(name)).toBe(false);
  });

  test('a wrong password: refused in the words of a URL, without the password', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(source.newName())], { PGPASSWORD: 'wrong-one' });

    expectExit(end, 1);
    expect(end.stderr).toMatch(/refused the password of role "postgres"\. Nothing was restored\. Hint: check role and/);
    expect(end.stderr).not.toContain('wrong-one');
  });

  test('a role of the backup is missing on the server: it is named before anything is restored', async () => {
    const name = source.newName();
    await source.sql('postgres', `alter role ${source.owner} rename to ${source.owner}_away`);

    const warned = await restoreCommand(['--target-url', targetUrl(name), '--create']);
    const without = await restoreCommand(['--target-url', targetUrl(name), '--no-owner', '--no-privileges']);
    await source.sql('postgres', `alter role ${source.owner}_away rename to ${source.owner}`);

    expectExit(warned, 1);
    expect(warned.stdout).toContain(
      `This server lacks roles of the backup: "${source.owner}"; what names them will fail`,
    );
    expect(warned.stderr).toContain(`role "${source.owner}" does not exist`);
    expectExit(without, 0);
    expect(await source.sql(name, "select tableowner from pg_tables where tablename = 'notes'")).toBe('postgres');
  });
});

describe('npm run restore --dry-run', () => {
  test('of a database that is missing: the plan, and it is not made', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--dry-run']);

    expectExit(end, 0);
    expect(end.stdout).toContain(`Would restore into "${name}" on localhost:`);
    expect(end.stdout).toContain(', which would be made: whole database');
    expect(end.stdout).toMatch(/"app"\."readings" {2}60,000 rows {2}.* MiB/);
    expect(end.stdout).toContain('Dry run: nothing was changed');
    expect(await source.exists(name)).toBe(false);
  });

  test('of a database that is not empty: refused as the restore would be', async () => {
    const end = await restoreCommand(['--target-url', targetUrl(source.fresh.name), '--dry-run']);

    expectExit(end, 1);
    expect(end.stderr).toContain('it must be empty. Nothing was changed');
    expect(await source.sql(source.fresh.name, 'select count(*) from app.notes')).toBe('1000');
  });

  test('of a database with another restore that was not ended: refused; with its own: it would go on', async () => {
    const name = source.newName();
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
    expect(await source.sql(name, 'select count(*) from app.readings')).toBe('0');
  });
});

describe('npm run restore of a backup that is not proven', () => {
  test('never verified: refused, and restored with --allow-unproven', async () => {
    const name = source.newName();
    const args = ['--target-url', targetUrl(name), '--create', '--backup', source.unverified];

    const refused = await restoreCommand(args);
    expect(await source.exists(name)).toBe(false);
    const allowed = await restoreCommand([...args, '--allow-unproven']);

    expectExit(refused, 1);
    expect(refused.stderr).toContain(`backup ${source.unverified} was never read back`);
    expectExit(allowed, 0);
    expect(allowed.stdout).toContain('NOT verified: nobody has read it back yet');
    await source.expectWhole(name);
  });

  test('broken: refused, with the way to take it all the same', async () => {
    const name = source.newName();

    const end = await restoreCommand(['--target-url', targetUrl(name), '--create', '--backup', source.broken]);

    expectExit(end, 1);
    expect(end.stderr).toContain(`backup ${source.broken} is broken`);
    expect(end.stderr).toContain('--allow-unproven');
    expect(await source.exists(name)).toBe(false);
  });

  test('damaged, and taken all the same: refused at the damaged rows, of which none is restored', async () => {
    const name = source.newName();
    const file = join(aws.bucketFolder, (await source.keyOfReadings()).replace(source.verified, source.unverified));
    const whole = readFileSync(file);
    const damaged = Buffer.from(whole);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    writeFileSync(file, damaged);

    const end = await restoreCommand([
      '--target-url',
      targetUrl(name),
      '--create',
      '--backup',
      source.unverified,
      '--allow-unproven',
    ]);
    writeFileSync(file, whole);

    expectExit(end, 1);
    expect(end.stderr).toContain(`the archive of backup ${source.unverified} is not what was written; 1 difference`);
    expect(end.stderr).toContain('[restore.archive_damaged]');
    expect(await source.sql(name, 'select count(*) from app.readings')).toBe('0');
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
    const end = await restoreCommand(['--target-url', targetUrl(source.newName()), ...more]);

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
      const name = source.newName();
      const readings = await source.keyOfReadings();
      aws.setFault(({ key, operation }) => (operation === 'GetObject' && key === readings ? 'hang' : undefined));
      const { child, ended } = startRestore(['--target-url', targetUrl(name), '--create']);
      const doneSteps = async () =>
        Number(await source.sql(name, "select count(*) from nightshift_restore.step where name like 'rows %'"));
      await vi.waitUntil(async () => (await source.exists(name)) && (await doneSteps().catch(() => 0)) >= 3, {
        timeout: 20_000,
        interval: 100,
      });

      child.kill(signal);
      const end = await ended;

      expectExit(end, signal === 'SIGINT' ? 130 : 143);
      expect(end.stderr).toContain(`stopped by ${signal}; the same command goes on where it stopped`);
      await source.expectNoSession(name);
      expect(await source.sql(name, 'select count(*) from app.readings')).toBe('0');

      aws.setFault(undefined);
      const again = await restoreCommand(['--target-url', targetUrl(name), '--create']);

      expectExit(again, 0);
      await source.expectWhole(name);
    },
    60_000,
  );
});
