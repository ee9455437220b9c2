// Expire against an S3 server with versions: nothing to do, dry run, twice, states, refusals, what lies beside the backups.
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { handler } from '../../functions/expire/handler.ts';
import { backupKeys, claimKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { type RunRecord, storeRunRecord } from '../../functions/shared/run-record.ts';
import { expire, NOW, readVersions } from '../support/expire-run.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { storeBackup } from '../support/stored-backup.ts';

const DAYS = ['20261121T020000Z', '20261120T020000Z', '20261119T020000Z'] as const;
const [NEWEST, SECOND, THIRD] = DAYS;
/** Objects of a verified backup: two of the archive, the evidence, the manifest. */
const OBJECTS = 4;

describe('runExpire', () => {
  let aws: LocalAws;
  let store: ObjectStore;
  let client: S3Client;
  let count = 0;
  beforeAll(async () => {
    aws = await startLocalAws({ clock: { now: () => NOW } });
    store = createObjectStore(BUCKET);
    client = new S3Client({});
  });
  afterEach(() => aws.setFault(undefined));
  afterAll(async () => {
    client.destroy();
    await aws.stop();
  });

  /** A database of its own for each test, with one verified backup per id. */
  async function storeBackups(ids: readonly string[] = DAYS): Promise<string> {
    const database = nextDatabase();
    for (const id of ids) await storeBackup(store, database, id);
    return database;
  }

  function nextDatabase(): string {
    count += 1;
    return `db-${count}`;
  }

  async function storeRun(database: string, finishedAt: string, more: Partial<RunRecord> = {}): Promise<void> {
    await storeRunRecord(store, {
      recordVersion: 1,
      database,
      job: 'expire',
      runId: `run-${finishedAt.slice(0, 10)}`,
      startedAt: finishedAt,
      finishedAt,
      durationMs: 1,
      dryRun: false,
      outcome: 'ok',
      result: {},
      failure: null,
      ...more,
    });
  }

  const failureOf = async (run: Promise<unknown>) => await run.catch((error: unknown) => error);

  test('there is no backup: nothing to do', async () => {
    const { result, put } = await expire('empty');

    expect(result).toMatchObject({ backups: [], expired: 0, withoutManifest: 0, refused: null, lastRunAt: null });
    expect(put).toEqual({ BackupsExpired: 0 });
  });

  test('one backup is too many: all its versions are gone, the others whole; a second run has nothing to do', async () => {
    const database = await storeBackups();

    const first = await expire(database);
    const second = await expire(database);

    expect(first.result.backups.map(({ backupId, outcome, reasons }) => [backupId, outcome, ...reasons])).toEqual([
      [NEWEST, 'kept', 'last 1 of 2', 'newest verified'],
      [SECOND, 'kept', 'last 2 of 2'],
      [THIRD, 'deleted', 'no rule keeps it (last 2)'],
    ]);
    expect(first.result).toMatchObject({ policy: 'last 2', expired: 1, lockedVersionCount: 0 });
    expect(first.result.backups[0]).toMatchObject({ bytes: 14, state: 'verified', lockedUntil: null });
    expect(first.put).toEqual({ BackupsExpired: 1 });
    expect((await readVersions(database)).filter((key) => key.startsWith(THIRD))).toEqual([]);
    expect(await readVersions(database)).toHaveLength(2 * OBJECTS);
    expect(second.result).toMatchObject({ expired: 0, leftovers: [] });
  });

  test('the newest by snapshot has the oldest id: the snapshot decides, not the name', async () => {
    const database = await storeBackups([NEWEST, SECOND]);
    await storeBackup(store, database, '20261101T020000Z', { takenAt: '2026-11-22T05:00:00Z' });

    const { result } = await expire(database);

    expect(result.backups.filter(({ outcome }) => outcome === 'deleted').map(({ backupId }) => backupId)).toEqual([
      SECOND,
    ]);
  });

  test('evidence makes the state: candidates and broken ones take no place, old ones go, all their versions', async () => {
    const database = nextDatabase();
    await storeBackup(store, database, NEWEST, { state: 'candidate' });
    await storeBackup(store, database, SECOND, { state: 'drilled' });
    await storeBackup(store, database, THIRD);
    await storeBackup(store, database, '20261110T020000Z', { state: 'broken' });
    await storeBackup(store, database, '20261109T020000Z', { state: 'candidate' });

    const { result } = await expire(database);

    expect(result.backups.map(({ state, outcome }) => `${state} ${outcome}`)).toEqual([
      'candidate kept',
      'drilled kept',
      'verified kept',
      'broken deleted',
      'candidate deleted',
    ]);
    expect((await readVersions(database)).map((key) => key.slice(0, 8))).not.toContain('20261110');
  });

  test('a dry run: the plan is told, nothing is deleted and no metric is written', async () => {
    const database = await storeBackups();

    const { result, put } = await expire(database, { event: { dryRun: true } });

    expect(result.backups[2]).toMatchObject({ backupId: THIRD, decision: 'delete', outcome: 'planned' });
    expect(put).toEqual({});
    expect(await readVersions(database)).toHaveLength(3 * OBJECTS);
  });

  test('prefixes without manifest: remains of an ended attempt go, what may be at work and what is young stays', async () => {
    const database = await storeBackups([NEWEST]);
    const claim = (leaseEnd: string) => JSON.stringify({ executionId: 'e', startedAt: leaseEnd, leaseEnd });
    const begin = async (backupId: string, leaseEnd?: string) => {
      await store.putNew(backupKeys(database, backupId).archiveFile('toc.dat'), 'part', 'application/octet-stream');
      if (leaseEnd !== undefined)
        await store.putNew(claimKeys(database, backupId, 1).claim, claim(leaseEnd), 'application/json');
    };
    await begin('20261122T020000Z', '2026-11-22T08:00:00Z');
    await begin('20261122T010000Z', '2026-11-22T05:30:00Z');
    await begin('20261118T020000Z', '2026-11-18T02:15:00Z');
    await begin('20260101T020000Z');
    await store.putNew(`${database}/runs/backup/x.json`, '{}', 'application/json');

    const { result } = await expire(database);

    // The one without a claim was stored by this test just now, by the clock of S3.
    expect(result).toMatchObject({ leftovers: ['20261118T020000Z'], withoutManifest: 3, expired: 0 });
    expect((await readVersions(database)).filter((key) => key.startsWith('20261118'))).toEqual([]);
    expect((await readVersions(database)).filter((key) => key.endsWith('toc.dat'))).toHaveLength(4);
  });

  test('a delete marker hides a manifest: somebody may want it back, so it stays for keepUnverifiedDays', async () => {
    const database = await storeBackups();
    const Key = backupKeys(database, THIRD).manifest;
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    const claim = { executionId: 'e', startedAt: '2026-11-19T02:00:00Z', leaseEnd: '2026-11-19T02:15:00Z' };
    await store.putNew(claimKeys(database, THIRD, 1).claim, JSON.stringify(claim), 'application/json');
    const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

    const young = await expire(database, { now: inDays(6) });
    const before = await readVersions(database);
    const old = await expire(database, { now: inDays(8) });

    expect(young.result).toMatchObject({ leftovers: [], withoutManifest: 1 });
    expect(before.filter((key) => key.startsWith(THIRD))).toHaveLength(OBJECTS + 1);
    expect(old.result.leftovers).toEqual([THIRD]);
    expect((await readVersions(database)).filter((key) => key.startsWith(THIRD))).toEqual([]);
  });

  test('an expired backup was overwritten and hidden in part: every version and marker of it goes', async () => {
    const database = await storeBackups();
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: backupKeys(database, THIRD).globals }));
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: backupKeys(database, THIRD).archiveFile('toc.dat'), Body: 'again' }),
    );

    await expire(database);

    expect(await readVersions(database)).toHaveLength(2 * OBJECTS);
  });

  test('versions behind the object of the manifest go; behind an object that was overwritten since, the true one stays', async () => {
    const database = nextDatabase();
    const put = async (key: string, Body: string) =>
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body }));
    const keys = backupKeys(database, NEWEST);
    await put(keys.archiveFile('toc.dat'), 'of an earlier try');
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: keys.archiveFile('toc.dat') }));
    await storeBackup(store, database, NEWEST);
    await put(keys.globals, 'somebody else');
    const planned = await expire(database, { event: { dryRun: true } });
    const versions = async (key: string) => {
      const found: boolean[] = [];
      for await (const { isDeleteMarker } of store.listVersions(key)) found.push(isDeleteMarker);
      return found.filter((isMarker) => !isMarker).length;
    };
    const before = await versions(keys.archiveFile('toc.dat'));

    const { result } = await expire(database);

    expect(planned.result.supersededVersions).toBe(1);
    expect(result.supersededVersions).toBe(1);
    expect(before).toBe(2);
    expect(await versions(keys.archiveFile('toc.dat'))).toBe(1);
    expect(await versions(keys.globals)).toBe(2);
    expect(await store.getText(keys.archiveFile('toc.dat'))).toBe('archive');
  });

  test('orphan uploads: those of ended attempts are aborted after a day, not before, and never one that may be at work', async () => {
    const database = await storeBackups([NEWEST]);
    const begin = async (backupId: string, leaseEndMs: number) => {
      const leaseEnd = new Date(leaseEndMs).toISOString();
      const body = JSON.stringify({ executionId: 'e', startedAt: leaseEnd, leaseEnd });
      await store.putNew(claimKeys(database, backupId, 1).claim, body, 'application/json');
      await store.createUpload(backupKeys(database, backupId).archiveFile('1.dat.gz'), 'application/octet-stream');
    };
    const hours = (number: number) => NOW.getTime() + number * 3_600_000;
    await begin('20261118T020000Z', hours(-10));
    await begin('20261117T020000Z', hours(40));
    const open = async () => {
      const keys = [];
      for await (const { key } of store.listUploads(`${database}/`)) keys.push(key.split('/')[1]);
      return keys;
    };

    const young = await expire(database, { now: new Date(hours(23)) });
    const planned = await expire(database, { now: new Date(hours(25)), event: { dryRun: true } });
    const openBefore = await open();
    const { result } = await expire(database, { now: new Date(hours(25)) });

    expect(young.result.abortedUploads).toBe(0);
    expect(planned.result.abortedUploads).toBe(1);
    expect(openBefore).toHaveLength(2);
    expect(result.abortedUploads).toBe(1);
    expect(await open()).toEqual(['20261117T020000Z']);
  });

  test('more than maxDeletePercent would go: refused and nothing deleted; with allowLargePlan and requestedBy carried out', async () => {
    const database = await storeBackups();
    const large = { keep: 'last=1', settings: { maxDeletePercent: 50 } };

    const refused = await failureOf(expire(database, large));
    const planned = await expire(database, { ...large, event: { dryRun: true } });
    const nameless = await failureOf(expire(database, { ...large, event: { allowLargePlan: true } }));
    const before = await readVersions(database);
    const { result } = await expire(database, { ...large, event: { allowLargePlan: true, requestedBy: 'ada' } });

    expect(refused).toMatchObject({ code: 'expire.refused' });
    expect(planned.result.refused).toContain('2 of 3 verified backups');
    expect(nameless).toMatchObject({ code: 'event.wrong' });
    expect(before).toHaveLength(3 * OBJECTS);
    expect(result.expired).toBe(2);
    expect(await readVersions(database)).toHaveLength(OBJECTS);
  });

  test('the last good run is 46 days ago: refused, also at the second try; a refused or dry run is none; clockIsRight lifts it', async () => {
    const database = await storeBackups();
    await storeRun(database, '2026-10-07T05:00:00Z');
    await storeRun(database, '2026-11-22T05:00:00Z', { outcome: 'failed' });
    await storeRun(database, '2026-11-22T05:30:00Z', { dryRun: true });

    const refused = await failureOf(expire(database));
    const nameless = await failureOf(expire(database, { event: { clockIsRight: true } }));
    const before = await readVersions(database);
    const { result } = await expire(database, { event: { clockIsRight: true, requestedBy: 'ada' } });

    expect(refused).toMatchObject({ code: 'expire.refused', problem: expect.stringContaining('46 days') });
    expect(nameless).toMatchObject({ code: 'event.wrong' });
    expect(before).toHaveLength(3 * OBJECTS + 3);
    expect(result).toMatchObject({ expired: 1, lastRunAt: '2026-10-07T05:00:00.000Z' });
  });

  test.each([
    ['a manifest is damaged', (keys: ReturnType<typeof backupKeys>) => keys.manifest, 'manifest "'],
    ['evidence of a verification is damaged', (keys) => keys.verified('run-2'), 'the evidence "'],
    ['evidence of a drill is damaged', (keys) => keys.drilled('drill-2'), 'the evidence "'],
  ] as [string, (keys: ReturnType<typeof backupKeys>) => string, string][])(
    '%s: refused, nothing deleted; a dry run says which',
    async (_, keyOf, problem) => {
      const database = await storeBackups();
      const backupId = '20261118T020000Z';
      if (!keyOf(backupKeys(database, backupId)).endsWith('manifest.json'))
        await storeBackup(store, database, backupId);
      await store.putNew(keyOf(backupKeys(database, backupId)), '{"manifestVersion": 1', 'application/json');
      const before = await readVersions(database);

      const refused = await failureOf(expire(database));
      const { result } = await expire(database, { event: { dryRun: true } });

      expect(refused).toMatchObject({ code: 'expire.refused', problem: expect.stringContaining(problem) });
      expect(result.refused).toContain(problem);
      expect(result.unreadable).toHaveLength(1);
      expect(result.unreadable[0]?.key).toContain(backupId);
      expect(result.leftovers).toEqual([]);
      expect(await readVersions(database)).toEqual(before);
    },
  );

  test('a manifest is that of another backup, or a claim is damaged, or the last run record is: refused', async () => {
    const foreign = await storeBackups();
    const text = (await store.getText(backupKeys(foreign, NEWEST).manifest)) ?? '';
    await store.putNew(backupKeys(foreign, '20261118T020000Z').manifest, text, 'application/json');
    const claimless = await storeBackups();
    await store.putNew(backupKeys(claimless, '20261118T020000Z').globals, 'x', 'application/sql');
    await store.putNew(claimKeys(claimless, '20261118T020000Z', 1).claim, '{', 'application/json');
    const recordless = await storeBackups();
    await store.putNew(`${recordless}/runs/expire/20261121T050000Z-x.json`, '{}', 'application/json');

    const problems = [foreign, claimless, recordless].map(async (database) => await failureOf(expire(database)));

    expect(await Promise.all(problems)).toMatchObject([
      { code: 'expire.refused', problem: expect.stringContaining(`is that of backup "${NEWEST}"`) },
      { code: 'expire.refused', problem: expect.stringContaining('the claim behind') },
      { code: 'expire.refused', problem: expect.stringContaining('when expire ran last is not known') },
    ]);
    expect(await readVersions(foreign)).toHaveLength(3 * OBJECTS + 1);
  });

  test('the newest backup is in the future of the clock: refused and nothing deleted', async () => {
    const database = await storeBackups();

    await expect(expire(database, { now: new Date('2026-11-20T06:00:00Z') })).rejects.toMatchObject({
      code: 'expire.refused',
    });

    expect(await readVersions(database)).toHaveLength(3 * OBJECTS);
  });

  test('S3 does not let the evidence be read: the run fails and nothing is deleted', async () => {
    const database = await storeBackups();
    aws.setFault(({ key, operation }) =>
      operation === 'GetObject' && key.includes('/verified/') ? { status: 403, code: 'AccessDenied' } : undefined,
    );

    await expect(expire(database)).rejects.toMatchObject({ code: 'object_store.failed' });

    expect(await readVersions(database)).toHaveLength(3 * OBJECTS);
  });

  test.each([
    ['KEEP_POLICY', ''],
    ['KEEP_POLICY', '  '],
    ['KEEP_POLICY', 'last=0'],
    ['KEEP_AT_LEAST', ''],
    ['KEEP_UNVERIFIED_DAYS', ' '],
    ['TIME_ZONE', 'Mars/Olympus'],
  ])('%s is "%s": the handler refuses and nothing is deleted', async (name, value) => {
    const database = await storeBackups();
    Object.assign(process.env, {
      DATABASE_NAME: database,
      BACKUP_BUCKET: BUCKET,
      KEEP_POLICY: 'last=1',
      TIME_ZONE: 'Etc/UTC',
      KEEP_AT_LEAST: '1',
      KEEP_UNVERIFIED_DAYS: '7',
      [name]: value,
    });

    const run = handler(
      { job: 'expire', requestedBy: 'ada' },
      { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 },
    );

    await expect(run).rejects.toMatchObject({ code: 'settings.wrong', problem: expect.stringContaining(name) });
    expect(await readVersions(database)).toHaveLength(3 * OBJECTS);
  });
});
