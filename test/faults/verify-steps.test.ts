import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readVerifications, verifiedState } from '../../functions/shared/verification.ts';
import type { VerifyPlanResult } from '../../functions/verify/contract.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { makeArchive, type StoredArchive, storeArchive } from '../support/stored-archive.ts';
import { type VerifyOptions, verify, verifyStep } from '../support/verify-job.ts';

let aws: LocalAws;
let options: VerifyOptions;

// A bucket of its own for each test: which backup is chosen depends on all that are there.
beforeEach(async () => {
  aws = await startLocalAws();
  options = {
    database: 'orders',
    clients: inject('cluster').clientDirectory,
    settings: { VERIFY_INLINE_LIMIT_GIB: 0, VERIFY_STEPS: 4 },
  };
});

afterEach(async () => await aws.stop());
afterAll(() => aws.setFault(undefined));

async function storedBackup(day = 22, damage: (archive: StoredArchive) => void = () => {}): Promise<StoredArchive> {
  const archive = makeArchive({ database: 'orders', backupId: `202611${day}T020000Z`, codec: 'gzip', seed: day });
  archive.manifest.takenAt = `2026-11-${day}T02:00:01.000Z`;
  damage(archive);
  await storeArchive(createObjectStore(BUCKET), archive);
  return archive;
}

function loseLargeObject({ objects }: StoredArchive): void {
  const key = [...objects.keys()].find((one) => one.endsWith('blob_9.dat.gz'));
  objects.delete(key ?? '');
}

async function planned(event: { backupId?: string; sample?: string } = {}): Promise<VerifyPlanResult> {
  const plan = await verifyStep(options, { step: 'plan', ...event });
  if (!('groups' in plan)) throw new TypeError('a plan was expected');
  return plan;
}

function idsOf({ backupId, verificationId }: VerifyPlanResult) {
  return { backupId, verificationId };
}

async function evidenceOf({ manifest }: StoredArchive) {
  return await readVerifications(createObjectStore(BUCKET), 'orders', manifest.backupId);
}

describe('the steps of a verification', () => {
  test('all groups are read: finish answers the whole, with one piece of evidence', async () => {
    const archive = await storedBackup();

    const plan = await planned();
    const read = await Promise.all(
      plan.groups.map(async (group) => await verifyStep(options, { step: 'read', ...idsOf(plan), group })),
    );
    const result = await verifyStep(options, { step: 'finish', ...idsOf(plan) });

    const stored = archive.manifest.objects.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(plan).toMatchObject({ mode: 'distributed', groups: [0, 1, 2, 3], concurrency: 4 });
    expect(read).toMatchObject(plan.groups.map((group) => ({ ...idsOf(plan), group, findings: 0 })));
    expect(result).toMatchObject({ outcome: 'ok', state: 'verified', bytes: stored, objects: 12 });
    expect(await evidenceOf(archive)).toHaveLength(1);
  });

  test('a group was not read: finish refuses, names it and stores no evidence', async () => {
    const archive = await storedBackup();
    const plan = await planned();
    for (const group of [0, 1, 3]) await verifyStep(options, { step: 'read', ...idsOf(plan), group });

    const finish = verifyStep(options, { step: 'finish', ...idsOf(plan) });

    await expect(finish).rejects.toThrow(/group 2 of 4 was not read\. No evidence was stored/);
    await expect(finish).rejects.toMatchObject({ code: 'verify.incomplete' });
    expect(await evidenceOf(archive)).toEqual([]);
  });

  test('S3 answers 503 to a group: it leaves no work, and finish refuses', async () => {
    const archive = await storedBackup();
    const plan = await planned();
    for (const group of [0, 2, 3]) await verifyStep(options, { step: 'read', ...idsOf(plan), group });
    aws.setFault(({ operation, key }) =>
      operation === 'GetObject' && /\d+\.dat\.gz$/.test(key) ? { status: 503, code: 'ServiceUnavailable' } : undefined,
    );

    await expect(verifyStep(options, { step: 'read', ...idsOf(plan), group: 1 })).rejects.toMatchObject({
      code: 'object_store.failed',
    });

    aws.setFault(undefined);
    await expect(verifyStep(options, { step: 'finish', ...idsOf(plan) })).rejects.toThrow(/group 1 of 4 was not read/);
    expect(await evidenceOf(archive)).toEqual([]);
  });

  test('a read step is delivered twice, one after the other and at once: one work, the same answer', async () => {
    await storedBackup();
    const plan = await planned();
    const read = async (group: number) => await verifyStep(options, { step: 'read', ...idsOf(plan), group });

    const first = await read(0);
    let reads = 0;
    aws.setFault(({ operation, key }) => {
      if (operation === 'GetObject' && key.includes('/archive/')) reads += 1;
      return undefined;
    });
    const second = await read(0);
    const [one, other] = await Promise.all([read(1), read(1)]);

    expect(second).toEqual(first);
    expect(other).toEqual(one);
    expect(reads).toBeGreaterThan(0);
    const again = reads;
    await read(1);
    expect(reads).toBe(again);
  });

  test('the answer to the put of a work is lost: the step ends well', async () => {
    await storedBackup();
    const plan = await planned();
    const work = backupKeys('orders', plan.backupId).verifyWork(plan.verificationId, 1);
    let lost = 0;
    aws.setFault(({ operation, key }) => {
      if (operation !== 'PutObject' || key !== work || lost > 0) return undefined;
      lost += 1;
      return 'drop-answer';
    });

    const read = await verifyStep(options, { step: 'read', ...idsOf(plan), group: 1 });

    expect(read).toMatchObject({ group: 1, findings: 0 });
    expect(lost).toBe(1);
  });

  test('finish is delivered twice: the same answer, or the same failure, and one piece of evidence', async () => {
    const sound = await storedBackup(22);
    const damaged = await storedBackup(23, loseLargeObject);
    const finishTwice = async (backupId: string) => {
      const plan = await planned({ backupId });
      for (const group of plan.groups) await verifyStep(options, { step: 'read', ...idsOf(plan), group });
      const finish = async () =>
        await verifyStep(options, { step: 'finish', ...idsOf(plan) }).catch((error: unknown) => error);
      return [await finish(), await finish()];
    };

    const good = await finishTwice(sound.manifest.backupId);
    const bad = await finishTwice(damaged.manifest.backupId);

    expect(good[0]).toMatchObject({ outcome: 'ok' });
    expect(good[1]).toEqual(good[0]);
    expect(bad[0]).toMatchObject({ code: 'verify.damaged', message: expect.stringContaining('blob_9.dat.gz') });
    expect(bad[1]).toEqual(bad[0]);
    expect([await evidenceOf(sound), await evidenceOf(damaged)].map((all) => all.length)).toEqual([1, 1]);
  });

  test('the plan is delivered twice with one id: the first one counts', async () => {
    await storedBackup();
    const verificationId = randomUUID();
    const first = await verifyStep(options, { step: 'plan', verificationId });
    const narrower = { ...options, settings: { ...options.settings, VERIFY_STEPS: 2 } };

    const second = await verifyStep(narrower, { step: 'plan', verificationId });

    expect(first).toMatchObject({ groups: [0, 1, 2, 3] });
    expect(second).toMatchObject({ groups: [0, 1, 2, 3] });
  });

  test('a group that the plan does not have, or a verification without a plan: refused', async () => {
    await storedBackup();
    const plan = await planned();

    await expect(verifyStep(options, { step: 'read', ...idsOf(plan), group: 4 })).rejects.toThrow(
      /group 4 was asked for, but the plan has 4/,
    );
    await expect(
      verifyStep(options, { step: 'finish', backupId: plan.backupId, verificationId: 'another' }),
    ).rejects.toThrow(/it has no plan/);
  });
});

describe('what is planned', () => {
  test('a small backup: inline; a backup that is verified, by its id: nothing to do', async () => {
    const archive = await storedBackup();
    const { backupId } = archive.manifest;
    const small = { ...options, settings: {} };

    expect(await verifyStep(small, { step: 'plan', backupId })).toMatchObject({ mode: 'inline', groups: [] });
    await verify(options, { backupId });
    expect(await planned({ backupId })).toMatchObject({ mode: 'verified', groups: [] });
    // By no id: what was good once is read again.
    expect(await planned()).toMatchObject({ mode: 'distributed', backupId });
  });

  test('no backup is named: the newest that is neither verified nor broken, else the newest', async () => {
    await storedBackup(20);
    await storedBackup(21);
    await storedBackup(22, loseLargeObject);
    const verifiedOnes: string[] = [];

    await expect(verify(options)).rejects.toMatchObject({ code: 'verify.damaged' });
    for (let run = 0; run < 2; run += 1) verifiedOnes.push((await verify(options)).backupId);

    expect(verifiedOnes).toEqual(['20261121T020000Z', '20261120T020000Z']);
    await expect(verify(options)).rejects.toThrow(/backup 20261122T020000Z is not what its manifest says/);
  });

  test('no backup at all, or none of that id: refused', async () => {
    await expect(verify(options)).rejects.toMatchObject({ code: 'verify.no_backup' });
    await expect(verify(options, { backupId: '20261101T020000Z' })).rejects.toThrow(
      /holds no complete backup "20261101T020000Z"/,
    );
  });
});

describe('samples', () => {
  test('each run reads the next one; the backup is a candidate until all are read, and then verified', async () => {
    const archive = await storedBackup();
    options = { ...options, settings: { VERIFY_SAMPLES: 3 } };
    const results = [];
    for (let run = 0; run < 3; run += 1) results.push(await verify(options));

    expect(new Set(results.map(({ sample }) => sample?.number))).toEqual(new Set([1, 2, 3]));
    expect(results.map(({ outcome }) => outcome)).toEqual(['sample ok', 'sample ok', 'sample ok']);
    expect(results.map(({ state }) => state)).toEqual(['candidate', 'candidate', 'verified']);
    const rows = archive.manifest.tables.reduce((sum, one) => sum + one.rows, 0);
    expect(results.reduce((sum, one) => sum + one.rows, 0)).toBe(rows);
  });

  test('damage is in one sample only: that run finds it, and the backup is broken', async () => {
    const archive = await storedBackup(22, loseLargeObject);
    const outcomes = [];
    for (const sample of ['1/4', '2/4', '3/4', '4/4'])
      outcomes.push(await verify(options, { sample, backupId: archive.manifest.backupId }).catch(() => 'damaged'));

    // The lost object is missing from the list in every run; its content is read by one.
    expect(outcomes).toEqual(['damaged', 'damaged', 'damaged', 'damaged']);
    const evidence = await evidenceOf(archive);
    expect(evidence.reduce((sum, { findingCount }) => sum + findingCount, 0)).toBe(5);
    expect(verifiedState(archive.manifest, evidence)).toBe('broken');
  });

  test('the large objects of all samples are others than the manifest counts: the last sample tells it', async () => {
    const archive = await storedBackup(22, ({ manifest }) => {
      manifest.largeObjects.bytes += 1;
    });
    const { backupId } = archive.manifest;

    const first = await verify(options, { sample: '1/2', backupId });

    expect(first).toMatchObject({ outcome: 'sample ok', state: 'candidate' });
    await expect(verify(options, { sample: '2/2', backupId })).rejects.toThrow(/all large objects together/);
    expect(verifiedState(archive.manifest, await evidenceOf(archive))).toBe('broken');
  });

  test('by steps: the sample of the plan is the one that is read and told', async () => {
    const archive = await storedBackup();
    const plan = await planned({ sample: '2/3' });
    for (const group of plan.groups) await verifyStep(options, { step: 'read', ...idsOf(plan), group });

    const result = await verifyStep(options, { step: 'finish', ...idsOf(plan) });

    expect(result).toMatchObject({ outcome: 'sample ok', sample: { number: 2, of: 3 }, state: 'candidate' });
    const { verifiedPrefix } = backupKeys('orders', archive.manifest.backupId);
    const [evidence] = await evidenceOf(archive);
    expect(result).toMatchObject({ evidence: `${verifiedPrefix}${evidence?.runId}.json` });
  });
});
