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

const NOW = new Date('2026-11-22T06:30:00Z');

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

  async function storeManifest(database: string, backupId: string, takenAt: string) {
    const manifest = {
      manifestVersion: 1,
      database,
      backupId,
      trigger: 'schedule',
      scheduledTime: takenAt,
      takenAt,
      finishedAt: takenAt,
      engine: { version: '15.18', aurora: false },
      serverId: '1',
      toolVersion: '0.1.0',
      clientVersion: '15.18',
      format: 'directory',
      codec: 'gzip',
      archiveVersion: '1.14',
      snapshot: '1:1:',
      encoding: 'UTF8',
      tables: [
        {
          schema: 'app',
          name: 'orders',
          dumpId: 1,
          key: 'k',
          rows: 1_234,
          bytes: 9_000_000,
          ranges: [
            {
              blocks: [0, null],
              rows: 1_234,
              bytes: 9_000_000,
              crc32: '00000000',
              sha256: '0'.repeat(64),
              offset: 0,
              length: 4_999_000,
            },
          ],
        },
      ],
      largeObjects: { count: 0, bytes: 0, sha256: '0'.repeat(64) },
      sequences: [],
      excluded: [],
      readByPolicy: [],
      notSeen: [],
      extensions: [],
      roles: [],
      objects: [{ key: 'k', bytes: 5_000_000, etag: 'e', sha256: null }],
    };
    await store.putNew(backupKeys(database, backupId).manifest, JSON.stringify(manifest), 'application/json');
  }

  async function report(database: string, expectedJobs: string) {
    const context = recordedContext({ clock: { ...systemClock, now: () => NOW }, store });
    const result = reportResult.parse(await runReport({ ...context, database, expectedJobs }));
    return { result, page: (await store.getText(result.key)) ?? '' };
  }

  test('a whole night is there: ok, with the drill of the backup found by its run record', async () => {
    await storeRun('whole', 'backup', '2026-11-22T02:04:00Z', { result: { bytes: 5_000_000, tables: 1, rows: 1_234 } });
    await storeRun('whole', 'restore-drill', '2026-11-20T03:00:00Z', { result: { rtoSeconds: 61 } });
    await storeManifest('whole', '20261122T020000Z', '2026-11-22T02:00:02Z');
    await store.putNew(backupKeys('whole', '20261122T020000Z').drilled('restore-drill-20'), '{}', 'application/json');

    const { result, page } = await report('whole', 'backup=26,restore-drill=74');

    expect(result).toMatchObject({
      verdict: 'ok',
      reasons: [],
      jobsSeen: ['backup', 'restore-drill'],
      jobsNotSeen: [],
    });
    expect(page).toContain('1,234 rows');
    expect(page).toMatch(/pill ok">ok<\/span> <span class="note fixed">in 61 s/);
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
    await storeManifest('damaged', '20261122T020000Z', '2026-11-22T02:00:02Z');
    await store.putNew('damaged/runs/health/20261122T060000Z-x.json', '{"half": ', 'application/json');
    await store.putNew(backupKeys('damaged', '20261121T020000Z').manifest, '[]', 'application/json');

    const { result } = await report('damaged', 'backup=26');

    expect(result.verdict).toBe('could not tell');
    expect(result.reasons.join('\n')).toMatch(
      /backups could not be listed[\s\S]*20261122T060000Z-x\.json: it is not JSON/,
    );
  });

  test('the drill has evidence but no run record: unclear, not ok', async () => {
    await storeManifest('unclear', '20261122T020000Z', '2026-11-22T02:00:02Z');
    await store.putNew(backupKeys('unclear', '20261122T020000Z').drilled('lost'), '{}', 'application/json');

    const { page } = await report('unclear', 'backup=26');

    expect(page).toContain('<span class="pill unknown">unclear</span>');
  });

  test('S3 refuses to list: the handler fails instead of writing a report about nothing', async () => {
    Object.assign(process.env, { DATABASE_NAME: 'refused', BACKUP_BUCKET: BUCKET, EXPECTED_JOBS: 'backup=26' });
    aws.setFault(({ operation }) =>
      operation === 'ListObjectsV2' ? { status: 403, code: 'AccessDenied' } : undefined,
    );

    const running = handler({ job: 'report' }, { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 });

    await expect(running).rejects.toMatchObject({ code: 'object_store.failed' });
    aws.setFault(undefined);
    expect(await store.head('refused/reports/request-1/report.html')).toBeUndefined();
  });
});
