// Which backups S3 has copied to the replica, by its own status of each object; the stand-in says what the test sets.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { type AgeRuns, createAgeRuns, LIMITS, TODAY, YESTERDAY } from '../support/age-runs.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { manifestOf, storeBackup, verificationOf } from '../support/store-backup.ts';
import { makeArchive, storeArchive } from '../support/stored-archive.ts';

let aws: LocalAws;
let store: ObjectStore;
let run: AgeRuns;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  run = createAgeRuns(aws, store);
});
afterAll(async () => await aws.stop());
afterEach(() => {
  aws.setFault(undefined);
  aws.setReplication(undefined);
});

describe('replica-copy-age', () => {
  const WITH_REPLICA = { ...LIMITS, drill: undefined, replica: 37 };

  /** A whole verified backup in the bucket; its keys. */
  async function storeWhole(database: string, backupId = TODAY): Promise<{ manifest: string; objects: string[] }> {
    const archive = makeArchive({ database, backupId, codec: 'gzip', seed: 3 });
    archive.manifest.takenAt = manifestOf(database, backupId).takenAt;
    await storeArchive(store, archive);
    const keys = backupKeys(database, backupId);
    const verification = JSON.stringify(verificationOf(database, backupId));
    await store.putNew(keys.verified('verify-1'), verification, 'application/json');
    return { manifest: keys.manifest, objects: [...archive.objects.keys()] };
  }

  const heads = () => run.requests().filter(({ operation }) => operation === 'HeadObject').length;

  test('all objects are copied: the age of that backup, and the next run asks for none of them again', async () => {
    const { objects } = await storeWhole('whole');
    aws.setReplication(() => 'COMPLETED');

    const first = await run.counted('whole', WITH_REPLICA);
    const headsOfFirst = heads();
    const second = await run.counted('whole', WITH_REPLICA);

    expect(first.byId['replica-copy-age']).toMatchObject({ status: 'ok', value: 4 });
    expect(first.put.ReplicaCopyAgeHours).toBe(4);
    expect(headsOfFirst).toBe(objects.length + 1);
    expect(second.put.ReplicaCopyAgeHours).toBe(4);
    expect(heads()).toBe(0);
  });

  test('the manifest is still being copied: only it is asked for, and the age is that of the backup before', async () => {
    await storeWhole('pending', YESTERDAY);
    const { manifest, objects } = await storeWhole('pending');
    aws.setReplication(({ key }) => (key === manifest ? 'PENDING' : 'COMPLETED'));

    const { byId } = await run.counted('pending', WITH_REPLICA);

    expect(byId['replica-copy-age']).toMatchObject({ status: 'ok', value: 28 });
    expect(byId['replica-copy-age']?.message).toContain(`"${manifest}" is still being copied`);
    expect(heads()).toBe(1 + objects.length + 1);
  });

  test('one object FAILED: critical with its key, although an older backup is copied', async () => {
    await storeWhole('failed', YESTERDAY);
    const { objects } = await storeWhole('failed');
    const bad = objects.at(-1) ?? '';
    aws.setReplication(({ key }) => (key === bad ? 'FAILED' : 'COMPLETED'));

    const { byId, put } = await run.counted('failed', WITH_REPLICA);

    expect(byId['replica-copy-age']).toMatchObject({ status: 'critical', value: 28 });
    expect(byId['replica-copy-age']?.message).toContain(`"${bad}" FAILED`);
    expect(put.ReplicaCopyAgeHours).toBe(28);
  });

  test('it is mended: the run after sees the rest as copied and asks for nothing that it has seen', async () => {
    const { objects } = await storeWhole('mended');
    const last = objects.at(-1) ?? '';
    aws.setReplication(({ key }) => (key === last ? 'FAILED' : 'COMPLETED'));
    await run.counted('mended', WITH_REPLICA);
    aws.setReplication(() => 'COMPLETED');

    const { byId } = await run.counted('mended', WITH_REPLICA);

    expect(byId['replica-copy-age']).toMatchObject({ status: 'ok' });
    expect(heads()).toBe(1);
  });

  test('the bucket has no rule: critical, because nothing is or will be copied', async () => {
    await storeWhole('no-rule');

    const { byId, put } = await run.counted('no-rule', WITH_REPLICA);

    expect(byId['replica-copy-age']).toMatchObject({ status: 'critical', value: null });
    expect(byId['replica-copy-age']?.message).toContain('under no replication rule');
    expect(put.ReplicaCopyAgeHours).toBeUndefined();
  });

  test('an object of the backup is gone here: it is not taken for copied', async () => {
    const { objects } = await storeWhole('gone');
    aws.setReplication(() => 'COMPLETED');
    const gone = objects[0] ?? '';
    for await (const version of store.listVersions(gone)) await store.deleteVersions([version]);

    expect((await run.counted('gone', WITH_REPLICA)).byId['replica-copy-age']?.message).toContain(
      `"${gone}" is not there any more`,
    );
  });

  test('more objects than one run asks for: unknown, and the next runs go on where it stopped', async () => {
    const database = 'large';
    const key = backupKeys(database, TODAY).archiveFile('toc.dat');
    await store.putNew(key, 'x', 'application/octet-stream');
    // One object stands for all of them: it is asked for as often.
    const objects = Array.from({ length: 1_050 }, () => ({ key, bytes: 1, etag: '', sha256: null }));
    await storeBackup(store, database, TODAY, { verified: {}, manifest: { objects } });
    aws.setReplication(() => 'COMPLETED');

    const first = await run.counted(database, WITH_REPLICA);
    const headsOfFirst = heads();
    const second = await run.counted(database, WITH_REPLICA);

    expect(first.byId['replica-copy-age']).toMatchObject({ status: 'unknown', value: null });
    expect(first.byId['replica-copy-age']?.message).toContain('1,000 of 1,051 objects');
    expect(headsOfFirst).toBe(1_000);
    expect(second.byId['replica-copy-age']).toMatchObject({ status: 'ok', value: 4 });
    expect(heads()).toBe(51);
  });

  test('S3 refuses to say: the copies are unknown, and the other ages are not silenced', async () => {
    await storeWhole('refused');
    aws.setFault(({ operation }) => (operation === 'HeadObject' ? { status: 403, code: 'AccessDenied' } : undefined));

    const { byId } = await run.asIs('refused', WITH_REPLICA);

    expect(byId['replica-copy-age']).toMatchObject({ status: 'unknown' });
    expect(byId['backup-age']).toMatchObject({ status: 'ok' });
  });
});
