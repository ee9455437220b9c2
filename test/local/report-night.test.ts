// Report against an S3 server: what other jobs left there becomes one HTML file.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportResult } from '../../functions/report/contract.ts';
import { handler } from '../../functions/report/handler.ts';
import { runReport } from '../../functions/report/run-report.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { type RunRecord, storeRunRecord } from '../../functions/shared/run-record.ts';
import { recordedContext } from '../support/job-context.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { DAMAGED, storeBackup } from '../support/store-backup.ts';

const NOW = new Date('2026-11-22T06:30:00Z');
const TODAY = '20261122T020000Z';

describe('runReport', () => {
  let aws: LocalAws;
  let store: ObjectStore;
  beforeAll(async () => {
    aws = await startLocalAws();
    store = createObjectStore(BUCKET);
  });
  afterAll(async () => await aws.stop());

  async function storeRun(database: string, job: RunRecord['job'], finishedAt: string, more: Partial<RunRecord> = {}) {
    await storeRunRecord(store, {
      recordVersion: 1,
      database,
      job,
      runId: `${job}-${finishedAt.slice(8, 10)}`,
      startedAt: finishedAt,
      finishedAt,
      durationMs: 1_000,
      dryRun: false,
      outcome: 'ok',
      result: {},
      failure: null,
      ...more,
    });
  }

  async function report(database: string, expectedJobs: string) {
    const context = recordedContext({ clock: { ...systemClock, now: () => NOW }, store });
    const result = reportResult.parse(
      await runReport({ ...context, database, expectedJobs, limits: { verifiedHours: 31, drillHours: 76 } }),
    );
    return { result, page: (await store.getText(result.key)) ?? '' };
  }

  test('a whole night is there: ok, with the state of the backup and the drill by its own record', async () => {
    await storeRun('whole', 'backup', '2026-11-22T02:04:00Z', { result: { bytes: 5_000_000, tables: 1, rows: 1_234 } });
    await storeRun('whole', 'restore-drill', '2026-11-20T03:00:00Z', { result: { rtoSeconds: 61 } });
    await storeBackup(store, 'whole', TODAY, {
      verified: {},
      drilled: { finishedAt: '2026-11-22T05:00:00.000Z', rtoSeconds: 61 },
    });

    const { result, page } = await report('whole', 'backup=26,restore-drill=74');

    expect(result).toMatchObject({
      verdict: 'ok',
      reasons: [],
      jobsSeen: ['backup', 'restore-drill'],
      jobsNotSeen: [],
    });
    expect(page).toContain('1,234 rows');
    expect(page).toContain('<span class="pill ok proven">drilled</span>');
    expect(page).toContain('90 min ago, RTO 61 s');
    expect(page).toContain('The last <b>4 h</b> would be lost with the database now');
  });

  test('the last drill was of an old backup: it is found by its run, and its own record is what counts', async () => {
    const old = '20260401T020000Z';
    for (const day of ['12', '13', '14', '15', '16', '17', '18', '19', '20', '21', '22'])
      await storeBackup(store, 'old-drill', `202611${day}T020000Z`, { verified: {} });
    await storeBackup(store, 'old-drill', old, {
      verified: {},
      drilled: { finishedAt: '2026-11-22T05:00:00.000Z', rtoSeconds: 75 },
    });
    await storeRun('old-drill', 'restore-drill', '2026-11-22T05:00:01Z', { result: { drills: [{ backupId: old }] } });

    const { result, page } = await report('old-drill', 'restore-drill=74');

    expect(result.verdict).toBe('ok');
    expect(page).toContain('newest 10 of 12');
    expect(page).toContain('<b class="">75 s</b><span>RTO: the restore of the drill 90 min ago</span>');
  });

  test('the newest backup was found damaged: needs attention, and the one before it is what counts', async () => {
    await storeRun('broken', 'backup', '2026-11-22T02:04:00Z');
    await storeBackup(store, 'broken', TODAY, { verified: DAMAGED });
    await storeBackup(store, 'broken', '20261121T020000Z', { verified: {}, drilled: {} });

    const { result, page } = await report('broken', 'backup=26');

    expect(result.verdict).toBe('needs attention');
    expect(result.reasons.join()).toContain(
      `backup ${TODAY} is broken: 1 finding of verify, the first in archive/100.dat.gz`,
    );
    expect(page).toContain('The last <b>28 h</b> would be lost with the database now');
  });

  test('the window of a job reaches back further than a day: its older run counts; beyond the window it does not', async () => {
    await storeRun('windows', 'restore-drill', '2026-11-19T06:00:00Z');
    await storeRun('windows', 'purge', '2026-11-19T06:00:00Z');

    const { result } = await report('windows', 'restore-drill=74,purge=26');

    expect(result).toMatchObject({ verdict: 'needs attention', jobsSeen: ['restore-drill'], jobsNotSeen: ['purge'] });
  });

  test('the bucket has nothing of this database: the report is written all the same and says that it could not tell', async () => {
    const { result, page } = await report('nothing', 'backup=26');

    expect(result).toMatchObject({ verdict: 'could not tell', jobsSeen: [], jobsNotSeen: ['backup'] });
    expect(page).toContain('Could not tell');
  });

  test('records that are damaged or of another database, and a damaged manifest: named, never ok', async () => {
    await storeRun('damaged', 'backup', '2026-11-22T02:04:00Z');
    await storeBackup(store, 'damaged', TODAY, { verified: {}, drilled: {} });
    await store.putNew('damaged/runs/health/20261122T060000Z-x.json', '{"half": ', 'application/json');
    await store.putNew(backupKeys('damaged', '20261121T020000Z').manifest, '[]', 'application/json');

    const { result } = await report('damaged', 'backup=26');

    expect(result.verdict).toBe('could not tell');
    expect(result.reasons.join('\n')).toMatch(
      /backup 20261121T020000Z could not be read: [\s\S]*20261122T060000Z-x\.json: it is not JSON/,
    );
  });

  test('the evidence of a drill cannot be understood: the backup is unreadable, not ok', async () => {
    await storeRun('unclear', 'backup', '2026-11-22T02:04:00Z');
    await storeBackup(store, 'unclear', TODAY, { verified: {} });
    await store.putNew(backupKeys('unclear', TODAY).drilled('lost'), '{}', 'application/json');

    const { result, page } = await report('unclear', 'backup=26');

    expect(result.verdict).not.toBe('ok');
    expect(page).toContain('<span class="pill unknown">unreadable</span>');
  });

  test('S3 refuses to list: the handler fails instead of writing a report about nothing', async () => {
    Object.assign(process.env, {
      DATABASE_NAME: 'refused',
      BACKUP_BUCKET: BUCKET,
      EXPECTED_JOBS: 'backup=26',
      VERIFIED_MAX_AGE_HOURS: '31',
    });
    aws.setFault(({ operation }) =>
      operation === 'ListObjectsV2' ? { status: 403, code: 'AccessDenied' } : undefined,
    );

    const running = handler({ job: 'report' }, { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 });

    await expect(running).rejects.toMatchObject({ code: 'object_store.failed' });
    aws.setFault(undefined);
    expect(await store.head('refused/reports/request-1/report.html')).toBeUndefined();
  });
});
