// Expire that is cut short at every request, killed, delivered twice: what remains is whole or visibly gone, and the next run
// finishes it. And object lock: what is locked is told with its date, and never as deleted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupIdOf, backupKeys, claimKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { type ObjectStoreServer, startObjectStoreServer } from '../../local/object-store-server.ts';
import { expire, NOW, readVersions } from '../support/expire-run.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { storeBackup } from '../support/stored-backup.ts';

const HOUR_MS = 3_600_000;
const DAYS = ['20261121T020000Z', '20261120T020000Z', '20261119T020000Z', '20261118T020000Z'] as const;
const KEPT = DAYS.slice(0, 2);
const OBJECTS = 4;
/** Some sixty runs, one for each request of a run and its repair. */
const EVERY_REQUEST_MS = 120_000;

let count = 0;

/** Backups with the claims that their runs have left, in a database of their own. */
async function storeBackups(store: ObjectStore, ids: readonly string[] = DAYS): Promise<string> {
  count += 1;
  const database = `db-${count}`;
  for (const id of ids) {
    await storeBackup(store, database, id);
    const startedAt = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T02:00:00Z`;
    const claim = { executionId: 'e', startedAt, leaseEnd: startedAt.replace('02:00', '02:15') };
    await store.putNew(claimKeys(database, id, 1).claim, JSON.stringify(claim), 'application/json');
  }
  return database;
}

/** Of each backup that is left in any form, how many versions, and whether it is listed as one. */
async function readLeft(
  database: string,
  store: ObjectStore,
): Promise<Map<string, { versions: number; isListed: boolean }>> {
  const left = new Map<string, { versions: number; isListed: boolean }>();
  for (const key of await readVersions(database, store)) {
    const id = backupIdOf(database, `${database}/${key}`);
    if (id === undefined) continue;
    const known = left.get(id) ?? { versions: 0, isListed: false };
    left.set(id, { versions: known.versions + 1, isListed: known.isListed || key === `${id}/manifest.json` });
  }
  return left;
}

/** The backups that the policy keeps are untouched, and each other one is whole, or has no manifest any more. */
async function expectWholeOrGone(database: string, store: ObjectStore): Promise<void> {
  const left = await readLeft(database, store);
  for (const id of KEPT) expect(left.get(id)).toEqual({ versions: OBJECTS, isListed: true });
  for (const [id, { versions, isListed }] of left) {
    if (isListed) expect([id, versions]).toEqual([id, OBJECTS]);
  }
}

async function expectFinished(database: string, store: ObjectStore): Promise<void> {
  expect([...(await readLeft(database, store)).keys()]).toEqual([...KEPT].toSorted());
}

describe('runExpire, cut short', () => {
  let aws: LocalAws;
  let store: ObjectStore;
  beforeAll(async () => {
    aws = await startLocalAws({ clock: { now: () => NOW } });
    store = createObjectStore(BUCKET);
  });
  afterEach(() => aws.setFault(undefined));
  afterAll(async () => await aws.stop());

  /** Lets S3 break from the n-th request of a run on, as `how` says; gives how many requests the run sent. */
  async function breakAt(
    database: string,
    number: number,
    how: { status: number; code: string } | 'drop-answer',
  ): Promise<{ failure: unknown; requests: number }> {
    let requests = 0;
    aws.setFault(() => {
      requests += 1;
      if (requests < number) return undefined;
      // The answer of the n-th is lost after S3 has carried it out; nothing gets through after it, as after a kill.
      if (how === 'drop-answer') return requests === number ? 'drop-answer' : { status: 403, code: 'AccessDenied' };
      return how;
    });
    const failure = await expire(database).then(
      () => undefined,
      (error: unknown) => error,
    );
    aws.setFault(undefined);
    return { failure, requests };
  }

  test.each([
    ['S3 refuses everything from the n-th request on', { status: 403, code: 'AccessDenied' } as const],
    ['killed after the n-th request', 'drop-answer' as const],
  ])(
    '%s, for every n: whole or visibly gone, and the next run finishes it',
    async (_, how) => {
      const { requests: all } = await breakAt(await storeBackups(store), Infinity, { status: 500, code: 'never' });
      const seen = new Set<string>();
      for (let number = 1; number <= all; number += 1) {
        const database = await storeBackups(store);

        const { failure } = await breakAt(database, number, how);
        await expectWholeOrGone(database, store);
        const left = await readLeft(database, store);
        seen.add(DAYS.map((id) => `${left.get(id)?.versions ?? 0}`).join(' '));
        const { result } = await expire(database);

        expect(failure).toBeDefined();
        expect(result.refused).toBeNull();
        await expectFinished(database, store);
      }

      // Nothing done, a manifest gone, a backup gone, both gone: the points between have all been met.
      expect(all).toBeGreaterThan(15);
      expect([...seen]).toEqual(expect.arrayContaining(['4 4 4 4', '4 4 4 3', '4 4 4 0', '4 4 3 0']));
    },
    EVERY_REQUEST_MS,
  );

  test('one request in three is answered by 503: the SDK tries again, and the run is as any other', async () => {
    const database = await storeBackups(store);
    let requests = 0;
    aws.setFault(() => {
      requests += 1;
      return requests % 3 === 0 ? { status: 503, code: 'SlowDown' } : undefined;
    });

    const { result } = await expire(database);
    aws.setFault(undefined);

    expect(result.expired).toBe(2);
    await expectFinished(database, store);
  });

  test('the time is up after the first backup: the run stops between two requests, the next one goes on', async () => {
    const database = await storeBackups(store);
    const stop = new AbortController();
    let deletes = 0;
    aws.setFault(({ operation }) => {
      if (operation === 'DeleteObjects') deletes += 1;
      if (deletes === 2) stop.abort(new Error('the time is up'));
      return undefined;
    });

    await expect(expire(database, { signal: stop.signal })).rejects.toThrow('the time is up');
    aws.setFault(undefined);
    const left = await readLeft(database, store);
    const { result } = await expire(database);

    expect([...left.keys()]).toEqual(DAYS.slice(0, 3).toSorted());
    expect(result.expired).toBe(1);
    await expectFinished(database, store);
  });

  test('two deliveries at the same time: both end well, or one finds what the other has taken, and nothing kept is lost', async () => {
    for (let round = 0; round < 5; round += 1) {
      const database = await storeBackups(store);

      const runs = await Promise.all([expire(database), expire(database)]);

      for (const { result } of runs) expect(result.refused).toBeNull();
      await expectWholeOrGone(database, store);
      await expectFinished(database, store);
    }
  });

  test('S3 refuses to delete one version, and no lock is the reason: the rest is done, then the run fails and names it', async () => {
    const database = await storeBackups(store);
    const key = backupKeys(database, '20261118T020000Z').globals;
    const refusing: ObjectStore = {
      ...store,
      deleteVersions: async (versions) => [
        ...(await store.deleteVersions(versions.filter((one) => one.key !== key))),
        ...versions
          .filter((one) => one.key === key)
          .map((version) => ({ version, code: 'InternalError', reason: 'InternalError: try again' })),
      ],
    };

    const failure = await expire(database, { store: refusing }).catch((error: unknown) => error);
    const left = await readLeft(database, store);
    const { result } = await expire(database);

    expect(failure).toMatchObject({
      code: 'object_store.failed',
      problem: expect.stringContaining(`"${key}"`),
      safeState: expect.stringContaining('1 backups were deleted'),
    });
    expect(left.get('20261118T020000Z')).toEqual({ versions: 1, isListed: false });
    expect(result.leftovers).toEqual(['20261118T020000Z']);
    await expectFinished(database, store);
  });
});

describe('runExpire, object lock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-expire-'));
  let server: ObjectStoreServer;
  let store: ObjectStore;
  let client: S3Client;
  let s3Now = NOW;
  const inHours = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS);
  beforeAll(async () => {
    server = await startObjectStoreServer({
      directory: folder,
      clock: { now: () => s3Now },
      buckets: [
        { name: 'locked', objectLock: { days: 1 } },
        { name: 'lockable', objectLock: { days: 0 } },
      ],
    });
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: server.endpoint,
    });
    client = new S3Client({});
  });
  afterEach(() => {
    s3Now = NOW;
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test('every version is locked: a plan says so, a run deletes nothing and tells until when; a day later it is deleted', async () => {
    store = createObjectStore('locked');
    const database = await storeBackups(store);
    const before = await readVersions(database, store);

    const planned = await expire(database, { store, event: { dryRun: true } });
    const { result, put } = await expire(database, { store });
    s3Now = inHours(25);
    const later = await expire(database, { store, now: s3Now });

    const lockedUntil = inHours(24).toISOString();
    for (const { backups } of [planned.result, result]) {
      expect(backups.map(({ outcome }) => outcome)).toEqual(['kept', 'kept', 'locked', 'locked']);
      expect(backups[3]).toMatchObject({ decision: 'delete', lockedUntil });
      expect(backups[3]?.reasons).toContain(`kept: locked until ${lockedUntil}`);
    }
    expect(result).toMatchObject({ expired: 0, lockedVersionCount: 2 });
    expect(result.lockedVersions.map(({ key }) => key).toSorted()).toEqual(
      DAYS.slice(2)
        .map((id) => backupKeys(database, id).manifest)
        .toSorted(),
    );
    expect(put).toEqual({ BackupsExpired: 0 });
    expect(before).toHaveLength(DAYS.length * (OBJECTS + 1));
    expect(later.result).toMatchObject({ expired: 2, lockedVersionCount: 0 });
    await expectFinished(database, store);
  });

  test('only later evidence is locked: the backup is gone, its rest is told as locked and never as deleted, and goes later', async () => {
    store = createObjectStore('lockable');
    const database = await storeBackups(store);
    const [, , , oldest] = DAYS;
    const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: inHours(2) } as const;
    const Key = backupKeys(database, oldest).verified('run-1');
    await client.send(new PutObjectRetentionCommand({ Bucket: 'lockable', Key, Retention }));

    const { result } = await expire(database, { store });
    const left = await readLeft(database, store);
    const again = await expire(database, { store });
    s3Now = inHours(3);
    await expire(database, { store, now: s3Now });

    expect(result.backups[3]).toMatchObject({ outcome: 'locked', lockedUntil: inHours(2).toISOString() });
    expect(result.backups[3]?.reasons).toContain(
      `its manifest is deleted, the rest is locked until ${inHours(2).toISOString()}`,
    );
    expect(result).toMatchObject({ expired: 1, lockedVersionCount: 1 });
    expect(result.lockedVersions).toMatchObject([{ key: Key, lockedUntil: inHours(2).toISOString() }]);
    expect(left.get(oldest)).toEqual({ versions: 1, isListed: false });
    expect(again.result).toMatchObject({ leftovers: [oldest], lockedVersionCount: 1, expired: 0 });
    await expectFinished(database, store);
  });

  test('a delete marker hides a locked manifest: its backup is no backup, and stays, because somebody may want it back', async () => {
    store = createObjectStore('locked');
    const database = await storeBackups(store);
    const [, , , oldest] = DAYS;
    await client.send(new DeleteObjectCommand({ Bucket: 'locked', Key: backupKeys(database, oldest).manifest }));

    const { result } = await expire(database, { store, keep: 'last=3' });

    expect(result).toMatchObject({ withoutManifest: 1, leftovers: [], lockedVersionCount: 0 });
    expect((await readLeft(database, store)).get(oldest)?.versions).toBe(OBJECTS + 1);
  });
});
