// The ages of backups, drills and copies against an S3 server, and health when the database cannot be reached.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { handler } from '../../functions/health/handler.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { storeRunRecord } from '../../functions/shared/run-record.ts';
import { type AgeRuns, createAgeRuns, LIMITS, TODAY, YESTERDAY } from '../support/age-runs.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { DAMAGED, manifestOf, storeBackup } from '../support/store-backup.ts';

let aws: LocalAws;
let store: ObjectStore;
let run: AgeRuns;

beforeAll(async () => {
  aws = await startLocalAws();
  store = createObjectStore(BUCKET);
  run = createAgeRuns(aws, store);
});
afterAll(async () => await aws.stop());
afterEach(() => aws.setFault(undefined));

/** Ids of `count` days before this day, the newest first. */
function earlierIds(count: number): string[] {
  return Array.from({ length: count }, (_, day) => {
    const instant = new Date(Date.parse('2026-11-22T02:00:00Z') - day * 86_400_000).toISOString();
    return `${instant.slice(0, 10).replaceAll('-', '')}T020000Z`;
  });
}

describe('runAges', () => {
  test('the newest backup is verified and drilled: all ages have a value and are ok', async () => {
    await storeBackup(store, 'good', TODAY, { verified: {}, drilled: { finishedAt: '2026-11-22T05:00:00.000Z' } });

    const { byId, put } = await run.counted('good');

    expect(byId['backup-age']).toMatchObject({ status: 'ok', value: 4, unit: 'hours', fix: null });
    expect(byId['verified-age']?.message).toContain('the last 4 h 0 min would be lost with the database');
    expect(byId['drill-age']).toMatchObject({ status: 'ok', value: 1 });
    expect(byId['replica-copy-age']).toBeUndefined();
    expect(put).toEqual({ BackupAgeHours: 4, VerifiedAgeHours: 4, RpoHours: 4, DrillAgeHours: 1 });
  });

  test('there is no backup at all: critical, and no datapoint that could look well', async () => {
    const { byId, put } = await run.counted('none');

    expect(byId['backup-age']).toMatchObject({ status: 'critical', value: null, message: 'there is no backup' });
    expect(byId['verified-age']).toMatchObject({ status: 'critical', value: null });
    expect(byId['drill-age']).toMatchObject({ status: 'critical', value: null });
    expect(put).toEqual({});
  });

  test('nothing but an attempt without a manifest: it is no backup', async () => {
    await store.putNew(backupKeys('attempt', TODAY).archiveFile('toc.dat'), 'PGDMP', 'application/octet-stream');

    expect((await run.counted('attempt')).byId['backup-age']).toMatchObject({
      status: 'critical',
      message: 'there is no backup',
    });
  });

  test('only a candidate: the backup has an age, what may be relied on has none', async () => {
    await storeBackup(store, 'candidate', TODAY);

    const { byId, put } = await run.counted('candidate');

    expect(byId['backup-age']).toMatchObject({ status: 'ok', value: 4 });
    expect(byId['verified-age']).toMatchObject({ status: 'critical', value: null });
    expect(byId['verified-age']?.message).toContain(`${TODAY} was not verified`);
    expect(put).toEqual({ BackupAgeHours: 4 });
  });

  test('the newest is broken: it is passed over and named, and the one before it counts', async () => {
    await storeBackup(store, 'broken', TODAY, { verified: DAMAGED });
    await storeBackup(store, 'broken', YESTERDAY, { verified: {} });

    const { byId, put } = await run.counted('broken');

    expect(byId['backup-age']).toMatchObject({ status: 'ok', value: 28 });
    expect(byId['backup-age']?.message).toContain(`${TODAY} is newer and broken`);
    expect(put).toMatchObject({ BackupAgeHours: 28, RpoHours: 28 });
  });

  test.each([
    [
      'manifest',
      'is not JSON',
      async (database: string) => {
        await store.putNew(backupKeys(database, TODAY).manifest, '{"half', 'application/json');
      },
    ],
    [
      'verification',
      'cannot be used',
      async (database: string) => {
        await storeBackup(store, database, TODAY);
        await store.putNew(backupKeys(database, TODAY).verified('odd'), '{}', 'application/json');
      },
    ],
    [
      'drill record',
      'cannot be used',
      async (database: string) => {
        await storeBackup(store, database, TODAY, { verified: {} });
        await store.putNew(backupKeys(database, TODAY).drilled('odd'), '{}', 'application/json');
      },
    ],
  ] as const)(
    'the newest has an unreadable %s: unknown with the reason, no datapoint, although an older one is good',
    async (what, reason, damage) => {
      const database = `unreadable-${what.replace(' ', '-')}`;
      await storeBackup(store, database, YESTERDAY, { verified: {} });
      await damage(database);

      const { byId, put } = await run.counted(database);

      for (const id of ['backup-age', 'verified-age']) {
        expect(byId[id]).toMatchObject({ status: 'unknown', value: null });
        expect(byId[id]?.message).toContain(reason);
      }
      expect(put).toEqual({});
    },
  );

  test('the manifest is that of another backup: it is not taken for this one', async () => {
    const key = backupKeys('copied', TODAY).manifest;
    await store.putNew(key, JSON.stringify(manifestOf('copied', YESTERDAY)), 'application/json');

    const { byId } = await run.counted('copied');

    expect(byId['backup-age']).toMatchObject({ status: 'unknown' });
    expect(byId['backup-age']?.message).toContain(`is that of backup "${YESTERDAY}"`);
  });

  test('an unreadable backup is older than the newest good one: the ages are known all the same', async () => {
    await store.putNew(backupKeys('old-damage', YESTERDAY).manifest, '{"half', 'application/json');
    await storeBackup(store, 'old-damage', TODAY, { verified: {} });

    expect((await run.counted('old-damage')).put).toMatchObject({ BackupAgeHours: 4, RpoHours: 4 });
  });

  test('a backup that was started long after its id: its snapshot counts, not its id', async () => {
    // Drilled, so that nothing but the ids keeps the walk going.
    await storeBackup(store, 'late', TODAY, { verified: {}, drilled: {} });
    await storeBackup(store, 'late', `${YESTERDAY}-2`, {
      verified: {},
      manifest: { takenAt: '2026-11-22T05:00:00.000Z' },
    });

    expect((await run.counted('late')).put).toMatchObject({ BackupAgeHours: 1, RpoHours: 1 });
  });

  test('the last drill was of an old backup: it is found by its run, and the evidence counts', async () => {
    const old = '20260401T020000Z';
    await storeBackup(store, 'old-drill', TODAY, { verified: {} });
    await storeBackup(store, 'old-drill', old, { verified: {}, drilled: { finishedAt: '2026-11-21T06:00:00.000Z' } });
    await storeDrillRun('old-drill', '2026-11-21T06:00:00.000Z', 'ok', { drills: [{ backupId: old }] });
    await storeDrillRun('old-drill', '2026-11-22T05:00:00.000Z', 'failed', {});

    const { byId, put } = await run.counted('old-drill');

    expect(byId['drill-age']?.message).toContain(`it restored ${old}`);
    expect(put.DrillAgeHours).toBe(24);
  });

  test('a run says that it drilled a backup that has no evidence of it: no drill is known', async () => {
    await storeBackup(store, 'no-evidence', TODAY, { verified: {} });
    await storeDrillRun('no-evidence', '2026-11-22T05:00:00.000Z', 'ok', { drills: [{ backupId: TODAY }] });

    expect((await run.counted('no-evidence')).byId['drill-age']).toMatchObject({ status: 'critical', value: null });
  });

  test('drills without a limit: the check is not there', async () => {
    expect((await run.counted('none', { ...LIMITS, drill: undefined })).byId['drill-age']).toBeUndefined();
  });

  describe('400 backups', () => {
    test('all are good: the newest are read and no others', async () => {
      await inParallel(8, earlierIds(400), async (id) => await storeBackup(store, 'many', id, { verified: {} }));
      await storeBackup(store, 'many', '20261122T030000Z', {
        verified: {},
        drilled: { finishedAt: '2026-11-22T05:00:00.000Z' },
      });

      const { put } = await run.counted('many');

      expect(put).toMatchObject({ BackupAgeHours: 3, DrillAgeHours: 1 });
      expect(run.requests().length).toBeLessThanOrEqual(25);
    });

    test('none of them is whole or readable: the walk ends after 20, and says what it did not look at', async () => {
      await inParallel(8, earlierIds(400), async (id) => await storeBackup(store, 'many-candidates', id));
      const { byId } = await run.counted('many-candidates');

      expect(byId['verified-age']).toMatchObject({ status: 'critical', value: null });
      expect(byId['verified-age']?.message).toContain(
        'none of the newest is verified, and 380 older ones were not looked at',
      );
      expect(run.requests().length).toBeLessThanOrEqual(70);
    });
  });

  test('S3 refuses: every age is unknown with the reason, and nothing is thrown', async () => {
    aws.setFault(() => ({ status: 403, code: 'AccessDenied' }));

    const { byId, put, statuses } = await run.asIs('good');

    expect(statuses).toEqual(['unknown', 'unknown', 'unknown']);
    expect(byId['backup-age']?.message).toContain('AccessDenied');
    expect(put).toEqual({});
  });

  test('S3 does not answer: the ages give up, so that the database is still looked at', async () => {
    aws.setFault(() => 'hang');

    const { byId } = await run.asIs('good', LIMITS, { sleep: async () => {} });

    expect(byId['backup-age']).toMatchObject({ status: 'unknown' });
    expect(byId['backup-age']?.message).toContain('S3 has not answered within 20 s');
  });

  test('every check: it is logged as those of the database are', async () => {
    const { events } = await run.counted('none');

    expect(events.map(({ event, fields }) => [event, fields['check'], fields['status']])).toEqual([
      ['health.checked', 'backup-age', 'critical'],
      ['health.checked', 'verified-age', 'critical'],
      ['health.checked', 'drill-age', 'critical'],
    ]);
  });

  async function storeDrillRun(database: string, finishedAt: string, outcome: 'ok' | 'failed', result: object) {
    await storeRunRecord(store, {
      recordVersion: 1,
      database,
      job: 'restore-drill',
      runId: `drill-${outcome}`,
      startedAt: finishedAt,
      finishedAt,
      durationMs: 1,
      dryRun: false,
      outcome,
      result: { ...result },
      failure: null,
    });
  }
});

describe('handler', () => {
  test('the database cannot be reached: the run fails, and the ages were sent before it', async () => {
    const secretArn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:health-AbCdEf';
    const secret = { host: '127.0.0.1', port: 1, dbname: 'x', username: 'u', password: 'p', engine: 'postgres' };
    aws.secrets.setSecret(secretArn, JSON.stringify(secret));
    Object.assign(process.env, {
      DATABASE_NAME: 'good',
      BACKUP_BUCKET: BUCKET,
      DATABASE_SECRET_ARN: secretArn,
      UNSAFE_DATABASE_TLS: 'disable',
      BACKUP_MAX_AGE_HOURS: '28',
      VERIFIED_MAX_AGE_HOURS: '31',
    });
    const written: string[] = [];
    // Powertools writes metrics by a console of its own, which writes to this stream.
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    try {
      const running = handler(
        { job: 'health', tier: 'quarter-hour', scheduledTime: '2026-11-22T06:00:00Z' },
        { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 120_000 },
      );

      await expect(running).rejects.toMatchObject({ code: 'database.unreachable' });
    } finally {
      spy.mockRestore();
    }
    const emitted = written.filter((line) => line.includes('"_aws"')).map((line) => JSON.parse(line));
    expect(emitted).toEqual([
      expect.objectContaining({
        Database: 'good',
        Job: 'health',
        BackupAgeHours: expect.any(Number),
        RpoHours: expect.any(Number),
      }),
    ]);
  });
});
