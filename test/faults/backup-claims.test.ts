import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimBackup, markFailed } from '../../functions/backup/claim/claim-backup.ts';
import { sweepUploads } from '../../functions/backup/claim/sweep-uploads.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type Clock, systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { leftInBucket } from '../support/what-is-left.ts';

const LEASE_MS = 900_000;

let aws: LocalAws;
let store: ObjectStore;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
});

afterAll(async () => {
  await aws.stop();
});

function clockAt(iso: string): Clock {
  return { ...systemClock, now: () => new Date(iso) };
}

async function claim(day: string, at = '02:00:00', executionId: string = randomUUID()) {
  const scheduledTime = new Date(`${day}T02:00:00Z`);
  return await claimBackup({
    store,
    clock: clockAt(`${day}T${at}Z`),
    database: 'shop',
    scheduledTime,
    executionId,
    leaseMs: LEASE_MS,
  });
}

describe('claimBackup', () => {
  test('two deliveries of one event at the same moment: exactly one gets the claim', async () => {
    const answers = await Promise.allSettled([claim('2026-03-01'), claim('2026-03-01'), claim('2026-03-01')]);

    const got = answers.filter(({ status }) => status === 'fulfilled');
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(got).toHaveLength(1);
    expect(refused.map(({ reason }) => reason.code)).toEqual(['job.still_running', 'job.still_running']);
    expect(String(refused[0]?.reason.message)).toMatch(/still running: execution .* may run until 2026-03-01T02:15:00/);
  });

  test('the first attempt has a failed mark: the second gets an id of its own at once', async () => {
    const first = await claim('2026-03-02');
    if (!('claim' in first)) throw new Error('no claim');
    await markFailed({ store, clock: systemClock }, 'shop', first.claim, 'a test');

    const second = await claim('2026-03-02', '02:01:00');

    expect(second).toMatchObject({ claim: { backupId: '20260302T020000Z-2', attempt: 2 } });
  });

  test('the first attempt vanished without a mark: refused until its lease is over, then the second begins', async () => {
    await claim('2026-03-03');

    await expect(claim('2026-03-03', '02:14:59')).rejects.toThrow(/still running/);
    expect(await claim('2026-03-03', '02:15:00')).toMatchObject({ claim: { attempt: 2 } });
  });

  test('a step of the same workflow goes on with its claim, another execution does not', async () => {
    const scheduledTime = new Date('2026-03-07T02:00:00Z');
    const steps = { store, clock: clockAt('2026-03-07T02:00:00Z'), database: 'shop', scheduledTime, leaseMs: LEASE_MS };
    await claimBackup({ ...steps, executionId: 'run-1', mayResume: true });

    const later = { ...steps, clock: clockAt('2026-03-07T02:00:05Z') };
    expect(await claimBackup({ ...later, executionId: 'run-1', mayResume: true })).toMatchObject({
      resumed: { backupId: '20260307T020000Z', attempt: 1 },
    });
    await expect(claimBackup({ ...later, executionId: 'run-2', mayResume: true })).rejects.toThrow(/still running/);
    await expect(claimBackup({ ...later, executionId: 'run-1' })).rejects.toThrow(/still running/);
  });

  test('the backup has a manifest: a second delivery finds it made', async () => {
    await claim('2026-03-04');
    await store.putNew(backupKeys('shop', '20260304T020000Z').manifest, '{}', 'application/json');

    expect(await claim('2026-03-04', '02:30:00')).toEqual({ made: '20260304T020000Z' });
  });

  test('three attempts have failed: no fourth', async () => {
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const made = await claim('2026-03-05');
      if ('claim' in made) await markFailed({ store, clock: systemClock }, 'shop', made.claim, 'a test');
    }

    await expect(claim('2026-03-05')).rejects.toThrow(/all 3 attempts at the backup of 20260305T020000Z have failed/);
  });

  test('S3 stored the claim but its answer was lost: the retry knows its own claim again', async () => {
    let dropped = false;
    aws.setFault(({ operation, key }) => {
      if (dropped || operation !== 'PutObject' || !key.includes('/claims/')) return undefined;
      dropped = true;
      return 'drop-answer';
    });

    const answer = await claim('2026-03-06');
    aws.setFault(undefined);

    expect(dropped).toBe(true);
    expect(answer).toMatchObject({ claim: { attempt: 1 } });
  });
});

describe('sweepUploads', () => {
  test('uploads of a vanished, a failed and a live attempt and of another database: only the dead ones are aborted', async () => {
    await claim('2026-04-01');
    const failed = await claim('2026-04-02', '02:00:00');
    if ('claim' in failed) await markFailed({ store, clock: systemClock }, 'shop', failed.claim, 'a test');
    await claim('2026-04-03', '02:00:00');
    const keys = ['20260401T020000Z', '20260402T020000Z', '20260403T020000Z'].map((id) =>
      backupKeys('shop', id).archiveFile('12.dat.gz'),
    );
    for (const key of [...keys, 'other/20260401T020000Z/archive/12.dat.gz']) await store.createUpload(key, 'a/b');
    const { log, events } = recordedContext();

    const aborted = await sweepUploads(store, clockAt('2026-04-03T02:10:00Z'), log, 'shop');

    expect(aborted).toBe(2);
    expect(events.map(({ fields }) => fields['key'])).toEqual(keys.slice(0, 2));
    expect((await leftInBucket()).uploads.toSorted()).toEqual(['other/20260401T020000Z/archive/12.dat.gz', keys[2]]);
  });
});
