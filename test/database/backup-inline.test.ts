import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runExpire } from '../../functions/expire/run-expire.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { leftInBucket } from '../support/what-is-left.ts';

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 1_000);
  await source.fresh.query(
    'create schema audit; create table audit.log (id int); insert into audit.log values (1), (2)',
  );
  await source.fresh.query('create view app.recent as select * from app.notes; create sequence app.numbers');
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

async function backUpWith(settings: Partial<BackupSource['settings']>): Promise<BackupManifest> {
  const { backupId } = await source.backUp({ settings: { ...source.settings, ...settings } });
  const key = backupKeys('shop', backupId).manifest;
  return parseManifest(key, (await createObjectStore(BUCKET).getText(key)) ?? '');
}

const rowsOf = ({ tables }: BackupManifest) =>
  Object.fromEntries(tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]));

describe('filters', () => {
  test('none: everything is in the archive, and the manifest says that nothing was left out', async () => {
    const manifest = await backUpWith({});

    expect(rowsOf(manifest)).toEqual({ 'app.notes': 1_000, 'app.readings': 1_000, 'audit.log': 2 });
    expect(manifest.excluded).toEqual([]);
  });

  test('a schema, a table and the rows of a table are left out: the manifest lists each by name', async () => {
    const manifest = await backUpWith({
      EXCLUDE_SCHEMAS: ['audit'],
      EXCLUDE_TABLES: ['app.readings'],
      EXCLUDE_TABLE_DATA: ['app.notes'],
    });

    expect(rowsOf(manifest)).toEqual({});
    expect(manifest.excluded).toEqual([
      'rows of table "app"."notes"',
      'table "app"."readings"',
      'sequence "app"."readings_id_seq"',
      'table "audit"."log"',
    ]);
  });

  test('only one schema: all the rest is listed as left out', async () => {
    const manifest = await backUpWith({ INCLUDE_SCHEMAS: ['audit'] });

    expect(rowsOf(manifest)).toEqual({ 'audit.log': 2 });
    expect(manifest.excluded).toEqual([
      'table "app"."notes"',
      'sequence "app"."numbers"',
      'table "app"."readings"',
      'sequence "app"."readings_id_seq"',
      'view "app"."recent"',
    ]);
  });

  test('a name that fits nothing: refused, not an empty backup', async () => {
    await expect(backUpWith({ INCLUDE_SCHEMAS: ['adit'] })).rejects.toThrow(/no matching schemas were found/);
    await expect(backUpWith({ INCLUDE_TABLES: ['app.nots'] })).rejects.toThrow(/no matching tables were found/);
  });

  test('a pattern that looks like an option or a shell command is a pattern', async () => {
    const manifest = await backUpWith({ EXCLUDE_TABLES: ['--schema-only', '$(touch /tmp/x)'] });

    expect(manifest.excluded).toEqual([]);
  });
});

describe('sequences', () => {
  test('are in the manifest as pg_dump read them, whatever a writer does meanwhile', async () => {
    await source.fresh.query("select setval('app.numbers', 41, true)");
    source.replaceProgram('pg_dump', '"$REAL" "$@"; sleep 0.2');
    const manifest = await backUpWith({});
    source.restorePrograms();

    expect(manifest.sequences).toContainEqual({ schema: 'app', name: 'numbers', lastValue: '41', isCalled: true });
  });
});

describe('row level security and a role without BYPASSRLS', () => {
  beforeAll(async () => {
    await source.fresh.query(`alter role "${source.role}" nobypassrls`);
    await source.fresh.query('create table app.tenants (id int); insert into app.tenants values (1), (2), (3)');
    await source.fresh.query('alter table app.tenants enable row level security, force row level security');
  });

  afterAll(async () => {
    await source.fresh.query(`alter role "${source.role}" bypassrls; drop table app.tenants`);
  });

  test('no policy, or one for some rows: the backup fails, names the table and the cure; never fewer rows', async () => {
    const failure = {
      code: 'backup.unreadable_rows',
      message: expect.stringMatching(/"app"\."tenants".*CREATE POLICY/s),
    };
    await expect(backUpWith({})).rejects.toMatchObject(failure);

    await source.fresh.query('create policy partly on app.tenants for select using (id < 3)');
    await expect(backUpWith({})).rejects.toMatchObject(failure);
  });

  test('a policy for every row: read with row_security on, said in the manifest, every row is there', async () => {
    await source.fresh.query(`create policy every on app.tenants for select to "${source.role}" using (true)`);

    const manifest = await backUpWith({});

    expect(rowsOf(manifest)['app.tenants']).toBe(3);
    expect(manifest.readByPolicy).toEqual(['"app"."tenants"']);
  });

  test('a restrictive policy besides it: refused again', async () => {
    await source.fresh.query('create policy less on app.tenants as restrictive for select using (id > 1)');

    await expect(backUpWith({})).rejects.toMatchObject({ code: 'backup.unreadable_rows' });
  });

  test('the table is left out by a filter: nothing of it has to be readable', async () => {
    expect(rowsOf(await backUpWith({ EXCLUDE_TABLES: ['app.tenants'] }))['app.tenants']).toBeUndefined();
  });
});

describe('limits', () => {
  test('zstd from a server below 16: refused before a row is read', async () => {
    await expect(backUpWith({ CODEC: 'zstd' })).rejects.toMatchObject({ code: 'backup.codec_refused' });
  });

  test('the parts of a table do not fit into the memory of the function: refused by name, with the memory that would do', async () => {
    await expect(backUpWith({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: 128 })).rejects.toThrow(
      /table "app"\."\w+" of 0 GiB needs parts of 5 MiB.*but the function has 128 MiB/,
    );
  });

  test('few connection slots are free: fewer workers, the log says so, the backup is whole', async () => {
    await source.fresh.query(`alter role "${source.role}" connection limit 4`);
    const context = recordedContext();

    const result = await source.backUp({
      ...context,
      settings: { ...source.settings, WORKERS: 8, MAX_CONNECTIONS: 10 },
    });
    await source.fresh.query(`alter role "${source.role}" connection limit -1`);

    expect(result.rows).toBe(2_002);
    const said = context.events.find(({ event }) => event === 'backup.fewer_workers');
    expect(said?.fields).toMatchObject({ workers: 1, configured: 8 });
  });
});

describe('what a failed backup leaves', () => {
  test('objects without a manifest are removed by expire an hour later, and not before', async () => {
    const scheduledTime = '2026-05-05T02:00:00Z';
    aws.setFault(({ key }) => (key.endsWith('/manifest.json') ? { status: 403, code: 'AccessDenied' } : undefined));
    await expect(source.backUp({}, { scheduledTime })).rejects.toThrow(/AccessDenied/);
    aws.setFault(undefined);
    await source.backUp({}, { scheduledTime });
    const left = async () => (await leftInBucket()).objects.filter((key) => key.startsWith('shop/20260505T020000Z/'));
    const expireAt = async (ms: number) =>
      await runExpire({
        ...recordedContext({ clock: { ...systemClock, now: () => new Date(Date.now() + ms) } }),
        database: 'shop',
        settings: {
          keep: { last: 1_000 },
          timeZone: 'Etc/UTC',
          keepAtLeast: 1,
          keepUnverifiedDays: 1_000,
          maxDeletePercent: 50,
        },
        event: { job: 'expire', requestedBy: 'a test' },
      });

    expect((await left()).length).toBeGreaterThan(3);
    await expireAt(50 * 60_000);
    expect((await left()).length).toBeGreaterThan(3);
    await expireAt(61 * 60_000);

    expect(await left()).toEqual([]);
    expect((await leftInBucket()).objects).toContain('shop/20260505T020000Z-2/manifest.json');
  });
});
