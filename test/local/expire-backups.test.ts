// Expire against an S3 server with versions: nothing to do, dry run, interrupted half-way, twice, locked, damaged.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ExpireEvent, expireResult } from '../../functions/expire/contract.ts';
import { handler } from '../../functions/expire/handler.ts';
import { runExpire } from '../../functions/expire/run-expire.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, readManifests } from '../../functions/shared/backup-manifest.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { startObjectStoreServer } from '../../local/object-store-server.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';

const NOW = new Date('2026-11-22T06:00:00Z');

describe('runExpire', () => {
  let aws: LocalAws;
  let count = 0;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.setFault(undefined));
  afterAll(async () => await aws.stop());

  /** A database of its own for each test, with one backup per id: three objects, the manifest last. */
  async function storeBackups(ids: readonly string[], store: ObjectStore = createObjectStore(BUCKET)): Promise<string> {
    count += 1;
    const database = `db-${count}`;
    for (const id of ids) await storeBackup(store, database, id);
    return database;
  }

  async function expire(
    database: string,
    more: { event?: Partial<ExpireEvent>; keepLast?: number; now?: Date; store?: ObjectStore } = {},
  ) {
    const context = recordedContext({
      clock: { ...systemClock, now: () => more.now ?? NOW },
      store: more.store ?? createObjectStore(BUCKET),
    });
    const result = await runExpire({
      ...context,
      database,
      keepLast: more.keepLast ?? 2,
      event: { job: 'expire', ...more.event },
    });
    return { result: expireResult.parse(result), put: context.put };
  }

  async function readVersions(database: string, store: ObjectStore = createObjectStore(BUCKET)): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of store.listVersions(`${database}/`)) keys.push(key.slice(database.length + 1));
    return keys.toSorted();
  }

  const DAYS = ['20261121T020000Z', '20261120T020000Z', '20261119T020000Z'];

  test('there is no backup: nothing to do', async () => {
    const { result, put } = await expire('empty');

    expect(result).toMatchObject({ backups: [], expired: 0, withoutManifest: 0, lockedVersions: [] });
    expect(put).toEqual({ BackupsExpired: 0 });
  });

  test('there are fewer backups than KEEP_LAST: all are kept, each with its reason', async () => {
    const database = await storeBackups(DAYS);

    const { result } = await expire(database, { keepLast: 5 });

    expect(result.backups.map(({ decision, outcome }) => `${decision} ${outcome}`)).toEqual(Array(3).fill('keep kept'));
    expect(result.backups[0]?.reason).toBe('number 1 of 3, newest first: among the newest 5');
    expect(await readVersions(database)).toHaveLength(9);
  });

  test('one backup is too many: all its versions go, those of the newer ones stay; a second run has nothing to do', async () => {
    const database = await storeBackups(DAYS);

    const first = await expire(database);
    const second = await expire(database);

    expect(first.result.backups.map(({ backupId, outcome }) => [backupId, outcome])).toEqual([
      [DAYS[0], 'kept'],
      [DAYS[1], 'kept'],
      [DAYS[2], 'deleted'],
    ]);
    expect(first.put).toEqual({ BackupsExpired: 1 });
    expect((await readVersions(database)).filter((key) => key.startsWith(DAYS[2] ?? ''))).toEqual([]);
    expect(await readVersions(database)).toHaveLength(6);
    expect(second.result).toMatchObject({ expired: 0, leftovers: [] });
  });

  test('the newest by snapshot has the oldest id: the snapshot decides, not the name', async () => {
    const store = createObjectStore(BUCKET);
    const database = await storeBackups(DAYS.slice(0, 2));
    await storeBackup(store, database, '20261101T020000Z', '2026-11-22T05:00:00Z');

    const { result } = await expire(database);

    expect(result.backups.filter(({ outcome }) => outcome === 'deleted').map(({ backupId }) => backupId)).toEqual([
      DAYS[1],
    ]);
  });

  test('a dry run: the plan is told, nothing is deleted and no metric is written', async () => {
    const database = await storeBackups(DAYS);

    const { result, put } = await expire(database, { event: { dryRun: true } });

    expect(result.backups[2]).toMatchObject({ backupId: DAYS[2], decision: 'delete', outcome: 'planned' });
    expect(put).toEqual({});
    expect(await readVersions(database)).toHaveLength(9);
  });

  test('S3 fails after the manifest is gone: the run fails, the half-deleted backup is not listed, the next run finishes it', async () => {
    const database = await storeBackups(DAYS);
    let deletes = 0;
    aws.setFault(({ operation }) => {
      if (operation !== 'DeleteObjects') return undefined;
      deletes += 1;
      return deletes > 1 ? { status: 503, code: 'SlowDown' } : undefined;
    });

    const failure = await expire(database).catch((error: unknown) => error);
    aws.setFault(undefined);
    const between = await readVersions(database);
    const listed = await readManifests(createObjectStore(BUCKET), database);
    const { result } = await expire(database);

    expect(failure).toMatchObject({ code: 'object_store.failed' });
    expect(between.filter((key) => key.startsWith(DAYS[2] ?? ''))).toEqual([
      `${DAYS[2]}/archive/toc.dat`,
      `${DAYS[2]}/globals.sql`,
    ]);
    expect(listed.map(({ backupId }) => backupId)).toEqual(DAYS.slice(0, 2));
    expect(result).toMatchObject({ leftovers: [DAYS[2]], expired: 0, withoutManifest: 0 });
    expect(await readVersions(database)).toHaveLength(6);
  });

  test('prefixes without manifest that are young, or not older than every kept backup: left alone and counted', async () => {
    const store = createObjectStore(BUCKET);
    const database = await storeBackups(DAYS.slice(0, 2));
    await store.putNew(
      backupKeys(database, '20261122T020000Z').archiveFile('toc.dat'),
      'in the making',
      'application/octet-stream',
    );
    await store.putNew(
      backupKeys(database, '20261120T120000Z').archiveFile('toc.dat'),
      'crashed',
      'application/octet-stream',
    );
    await store.putNew(`${database}/runs/backup/x.json`, '{}', 'application/json');

    const { result } = await expire(database);
    const young = await expire(database, { keepLast: 1, event: { dryRun: true } });

    expect(result).toMatchObject({ withoutManifest: 2, leftovers: [], expired: 0 });
    expect(young.result.leftovers).toEqual(['20261120T120000Z']);
    expect(await readVersions(database)).toHaveLength(9);
  });

  test('an object was overwritten and hidden by a delete marker: every version and marker of an expired backup goes', async () => {
    const database = await storeBackups(DAYS);
    const { S3Client, DeleteObjectCommand } = await import('@aws-sdk/client-s3');
    const client = new S3Client({});
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: backupKeys(database, DAYS[2] ?? '').globals }));
    client.destroy();

    await expire(database);

    expect(await readVersions(database)).toHaveLength(6);
  });

  test('more than half would go: refused and nothing deleted; with allowLargePlan and requestedBy it is carried out', async () => {
    const database = await storeBackups(DAYS);

    const refused = await expire(database, { keepLast: 1 }).catch((error: unknown) => error);
    const planned = await expire(database, { keepLast: 1, event: { dryRun: true } });
    const nameless = await expire(database, { keepLast: 1, event: { allowLargePlan: true } }).catch(
      (error: unknown) => error,
    );
    const before = await readVersions(database);
    const { result } = await expire(database, { keepLast: 1, event: { allowLargePlan: true, requestedBy: 'ada' } });

    expect(refused).toMatchObject({ code: 'expire.refused' });
    expect(planned.result.refused).toContain('2 of 3 backups');
    expect(nameless).toMatchObject({ code: 'event.wrong' });
    expect(before).toHaveLength(9);
    expect(result.expired).toBe(2);
    expect(await readVersions(database)).toHaveLength(3);
  });

  test('the newest backup is in the future of the clock: refused and nothing deleted', async () => {
    const database = await storeBackups(DAYS);

    await expect(expire(database, { now: new Date('2026-11-20T06:00:00Z') })).rejects.toMatchObject({
      code: 'expire.refused',
    });

    expect(await readVersions(database)).toHaveLength(9);
  });

  test('one manifest is damaged: refused, because the order of the backups is not known, and nothing deleted', async () => {
    const database = await storeBackups(DAYS);
    await createObjectStore(BUCKET).putNew(
      backupKeys(database, '20261118T020000Z').manifest,
      '{"manifestVersion": 1',
      'application/json',
    );

    await expect(expire(database)).rejects.toMatchObject({ code: 'manifest.wrong' });

    expect(await readVersions(database)).toHaveLength(10);
  });

  test('the manifest is under object lock: the backup stays whole and its locked version is reported', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nightshift-expire-'));
    const server = await startObjectStoreServer({ directory, buckets: [{ name: 'locked', objectLock: { days: 1 } }] });
    const unlocked = process.env['AWS_ENDPOINT_URL_S3'];
    process.env['AWS_ENDPOINT_URL_S3'] = server.endpoint;
    try {
      const store = createObjectStore('locked');
      const database = await storeBackups(DAYS, store);

      const { result, put } = await expire(database, { store });

      expect(result.backups[2]?.outcome).toBe('locked');
      expect(result.lockedVersions.map(({ key }) => key)).toEqual([backupKeys(database, DAYS[2] ?? '').manifest]);
      expect(result.lockedVersions[0]?.reason).toContain('AccessDenied');
      expect(put).toEqual({ BackupsExpired: 0 });
      expect(await readVersions(database, store)).toHaveLength(9);
    } finally {
      process.env['AWS_ENDPOINT_URL_S3'] = unlocked;
      await server.stop();
      rmSync(directory, { recursive: true });
    }
  });

  test.each([[''], ['  '], ['0'], ['thirty']])(
    'KEEP_LAST is "%s": the handler refuses and nothing is deleted',
    async (keepLast) => {
      const database = await storeBackups(DAYS);
      Object.assign(process.env, { DATABASE_NAME: database, BACKUP_BUCKET: BUCKET, KEEP_LAST: keepLast });

      const run = handler({ job: 'expire' }, { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 });

      await expect(run).rejects.toMatchObject({
        code: 'settings.wrong',
        problem: expect.stringContaining('KEEP_LAST'),
      });
      expect(await readVersions(database)).toHaveLength(9);
    },
  );
});

async function storeBackup(store: ObjectStore, database: string, backupId: string, takenAt?: string): Promise<void> {
  const keys = backupKeys(database, backupId);
  const scheduled = `${backupId.slice(0, 4)}-${backupId.slice(4, 6)}-${backupId.slice(6, 11)}:${backupId.slice(11, 13)}:00Z`;
  const manifest: BackupManifest = {
    manifestVersion: 1,
    database,
    backupId,
    trigger: 'schedule',
    scheduledTime: scheduled,
    takenAt: takenAt ?? scheduled,
    finishedAt: scheduled,
    engine: { version: '15.18', aurora: false },
    serverId: '1',
    toolVersion: '0.1.0',
    clientVersion: '15.18',
    format: 'directory',
    codec: 'gzip',
    archiveVersion: '1.14',
    snapshot: '1:1:',
    encoding: 'UTF8',
    tables: [],
    largeObjects: { count: 0, bytes: 0, sha256: '0'.repeat(64) },
    sequences: [],
    excluded: [],
    readByPolicy: [],
    notSeen: [],
    extensions: [],
    roles: [],
    objects: [],
  };
  await store.putNew(keys.archiveFile('toc.dat'), 'archive', 'application/octet-stream');
  await store.putNew(keys.globals, 'globals', 'application/sql');
  await store.putNew(keys.manifest, JSON.stringify(manifest), 'application/json');
}
