import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupJob } from '../../functions/backup/run-backup.ts';
import { readStoredInventory } from '../../functions/restore-drill/compare/read-expected.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { Inventory } from '../../functions/shared/inventory.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readInventory } from '../../functions/shared/read-inventory.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { sha256, storedBackup } from '../support/changed-backup.ts';
import { distributedBackup } from '../support/distributed-backup.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 1_000);
  await source.fresh.query(`
    create function app.body(n int default 1) returns int language sql as 'select 1';
    create function app.argument(n int default 1) returns int language sql as 'select 1';
    create index of_body on app.notes (body);
    create view app.short as select id from app.notes where body in ('a', 'b');
    create schema other;
    create table other.things (id int primary key);
    create function other.make() returns int language sql as 'select 1';
    create type other.mood as enum ('sad');
    comment on table app.notes is 'a comment';
  `);
});

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

async function inventoryOf(backupId: string): Promise<Inventory> {
  const inventory = await readStoredInventory(createObjectStore(BUCKET), storedBackup(aws, backupId).readManifest());
  if (!inventory) throw new Error(`backup ${backupId} has no inventory`);
  return inventory;
}

async function inventoryNow(): Promise<Inventory> {
  return await source.fresh.database('restore-drill').withSession(async (session) => {
    await session.query('begin');
    const inventory = await readInventory(session, { lockTimeoutMs: 0, statementTimeoutMs: 0 });
    await session.query('rollback');
    return inventory;
  });
}

const names = ({ entries }: Inventory, kind: string): string[] =>
  (entries ?? []).filter((entry) => entry[0] === kind).map(([, identity]) => identity);

const withSettings = (more: Partial<BackupJob['settings']>) => ({ settings: { ...source.settings, ...more } });

describe('inventory.json', () => {
  test.each([
    ['in one function', async () => await source.backUp()],
    [
      'in steps',
      async () => {
        const backup = distributedBackup(source);
        const { groups } = await backup.plan();
        await backup.copyAll(groups);
        return await backup.finish();
      },
    ],
  ])('a backup made %s: what the catalog held, listed in the manifest with its SHA-256', async (_, backUp) => {
    const { backupId } = await backUp();

    const { inventory: key } = backupKeys('shop', backupId);
    const stored = readFileSync(join(aws.bucketFolder, key));
    expect(storedBackup(aws, backupId).readManifest().objects).toContainEqual(
      expect.objectContaining({ key, bytes: stored.length, sha256: sha256(stored) }),
    );
    expect(await inventoryOf(backupId)).toEqual(await inventoryNow());
  });

  test('while pg_dump reads, a function gets another body and another another default: as in the snapshot, and by name only', async () => {
    const before = await inventoryNow();
    const sql = [
      "create or replace function app.body(n int default 1) returns int language sql as 'select 2'",
      "create or replace function app.argument(n int default 2) returns int language sql as 'select 1'",
    ].join('; ');
    const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-readings-'));
    // Before the real one looks at anything.
    source.replaceProgram(
      'pg_dump',
      `touch ${folder}/started; while [ ! -f ${folder}/go ]; do sleep 0.02; done; exec "$REAL" "$@"`,
    );
    const backingUp = source.backUp();
    while (!existsSync(join(folder, 'started'))) await sleep(10);
    await source.fresh.query(sql);
    writeFileSync(join(folder, 'go'), '');
    const { backupId } = await backingUp;
    source.restorePrograms();
    rmSync(folder, { recursive: true });

    const { entries } = await inventoryOf(backupId);
    const digestOf = (list: Inventory['entries'], identity: string) =>
      list?.find((entry) => entry[0] === 'function' && entry[1] === identity)?.[2];
    const [body, argument] = ['"app"."body"(n integer)', '"app"."argument"(n integer)'];
    expect(digestOf(entries, body)).toBe(digestOf(before.entries, body));
    expect(digestOf(entries, body)).not.toBe(digestOf((await inventoryNow()).entries, body));
    expect(digestOf(entries, argument)).toBeNull();
    expect(entries?.filter(([, , digest]) => digest === null)).toHaveLength(1);
  });

  test('a lock on what a view reads is held all the time: the backup is made, and the inventory says why it has no entries', async () => {
    // pg_dump waits for no view, but the server looks at what a view reads.
    await source.fresh.query('create table other.busy (id int); create view other.of_busy as select * from other.busy');
    const client = await source.fresh.client();
    await client.query('begin; lock table other.busy in access exclusive mode');
    const context = recordedContext();

    const { backupId } = await source.backUp({ ...context, ...withSettings({ EXCLUDE_SCHEMAS: ['other'] }) });
    await client.query('rollback');
    await client.end();
    await source.fresh.query('drop table other.busy cascade');

    expect(await inventoryOf(backupId)).toMatchObject({
      entries: null,
      problem: expect.stringContaining('SQLSTATE 55P03'),
    });
    expect(context.events.map(({ event }) => event)).toContain('backup.inventory_not_read');
  }, 60_000);

  test.each<[string, Partial<BackupJob['settings']>, string[], string[]]>([
    ['a table is left out', { EXCLUDE_TABLES: ['app.notes'] }, ['app', 'other'], ['readings', 'things']],
    ['a schema is left out', { EXCLUDE_SCHEMAS: ['other'] }, ['app'], ['notes', 'readings']],
    ['only one schema is included', { INCLUDE_SCHEMAS: ['app'] }, ['app'], ['notes', 'readings']],
    ['only one table is included', { INCLUDE_TABLES: ['app.notes'] }, [], ['notes']],
    [
      'only rows are left out',
      { EXCLUDE_TABLE_DATA: ['app.notes'] },
      ['app', 'other', 'public'],
      ['notes', 'readings', 'things'],
    ],
  ])('%s by a filter: what hangs on it is not expected', async (_, filter, schemas, tables) => {
    const { backupId } = await source.backUp(withSettings(filter));

    const inventory = await inventoryOf(backupId);

    expect(names(inventory, 'schema')).toEqual(schemas.map((name) => `"${name}"`));
    expect(names(inventory, 'table').map((identity) => identity.split('.')[1])).toEqual(
      tables.map((name) => `"${name}"`),
    );
    expect(names(inventory, 'index').some((identity) => identity.includes('of_body'))).toBe(tables.includes('notes'));
    expect(names(inventory, 'enum').length).toBe(schemas.includes('other') ? 1 : 0);
    expect(names(inventory, 'extension').length).toBe(Object.keys(filter)[0]?.startsWith('EXCLUDE') ? 1 : 0);
    expect(inventory.isFiltered).toBe(!('EXCLUDE_TABLE_DATA' in filter));
  });
});

describe('readStoredInventory', () => {
  test('a backup of a version without inventory: there is none', async () => {
    const { backupId } = await source.backUp();
    const manifest = storedBackup(aws, backupId).readManifest();
    manifest.objects = manifest.objects.filter(({ key }) => !key.endsWith('/inventory.json'));

    expect(await readStoredInventory(createObjectStore(BUCKET), manifest)).toBeUndefined();
  });

  test('its object was changed or is gone: a failure that says so, and no comparison without it', async () => {
    const { backupId } = await source.backUp();
    const backup = storedBackup(aws, backupId);
    const manifest = backup.readManifest();
    const { inventory: key } = backup.keys;

    await backup.withObject(
      key,
      (bytes) => Buffer.from(bytes.toString('utf8').replace('"table"', '"tabel"')),
      async () => {
        await expect(readStoredInventory(createObjectStore(BUCKET), manifest)).rejects.toThrow(
          /inventory\.json" has SHA-256 [0-9a-f]{64}; its manifest says [0-9a-f]{64}/,
        );
      },
    );
    manifest.objects = manifest.objects.map((one) => (one.key === key ? { ...one, key: `${key}x` } : one));
    manifest.backupId = manifest.backupId.replace('2026', '2025');
    manifest.objects.push({
      key: backupKeys('shop', manifest.backupId).inventory,
      bytes: 1,
      etag: '',
      sha256: sha256(Buffer.from('')),
    });
    await expect(readStoredInventory(createObjectStore(BUCKET), manifest)).rejects.toThrow(/there is no object/);
  });
});
