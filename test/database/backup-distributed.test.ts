import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { parseManifest } from '../../functions/shared/backup-manifest.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { distributedBackup } from '../support/distributed-backup.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';

/** Four ranges of app.readings. */
const READINGS = 1_500_000;
const ROWS = READINGS + 1_000;
const outOfTime = new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' });

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, READINGS);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

async function manifestOf(backupId: string) {
  const key = backupKeys('shop', backupId).manifest;
  return parseManifest(key, (await createObjectStore(BUCKET).getText(key)) ?? '');
}

describe('a distributed backup', () => {
  test('plan, copy of every group, finish: every row, in the ranges of the plan, and no session is left', async () => {
    const backup = distributedBackup(source);

    const planned = await backup.plan();
    await backup.copyAll(planned.groups);
    const result = await backup.finish();

    expect(planned).toMatchObject({ mode: 'distributed', concurrency: 8 });
    expect(planned.groups.length).toBeGreaterThanOrEqual(4);
    expect(result).toMatchObject({ backupId: planned.backupId, alreadyMade: false, tables: 2, rows: ROWS });
    const manifest = await manifestOf(result.backupId);
    expect(manifest.tables.map(({ name, ranges }) => [name, ranges.length])).toEqual([
      ['notes', 1],
      ['readings', planned.groups.length - 1],
    ]);
    expect(await sessionsGone(source.fresh, 2_000)).toBeLessThan(2_000);
    expect((await leftInBucket()).uploads).toEqual([]);
  });

  test('finish is started again after its manifest was written: the same backup, not a second one', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    await backup.copyAll(groups);
    const first = await backup.finish();

    expect(await backup.finish()).toEqual({ ...first, alreadyMade: true });
  });

  test('small enough: plan answers "inline" and begins nothing', async () => {
    const backup = distributedBackup(source, { settings: { INLINE_LIMIT_GIB: 1 } });

    expect(await backup.plan()).toMatchObject({ mode: 'inline', backupId: null, groups: [] });
    expect(await sessionsGone(source.fresh, 2_000)).toBeLessThan(2_000);
  });

  test('plan is started again by the same execution: the same plan; by another one: refused', async () => {
    const scheduledTime = '2027-02-01T02:00:00Z';
    const backup = distributedBackup(source, { scheduledTime });
    const planned = await backup.plan();

    expect(await backup.plan()).toEqual(planned);
    await expect(distributedBackup(source, { scheduledTime }).plan()).rejects.toMatchObject({
      code: 'job.still_running',
    });

    await expect(backup.abort('a test')).rejects.toMatchObject({ code: 'backup.aborted' });
  });

  test('plan is started again after its snapshot has died: the next attempt, with a snapshot of its own', async () => {
    const backup = distributedBackup(source, { scheduledTime: '2027-02-02T02:00:00Z' });
    await backup.plan();
    await source.fresh.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'nightshift/holder 20270202T020000Z%'",
    );
    await sessionsGone(source.fresh, 2_000);

    const again = await backup.plan();
    await backup.copyAll(again.groups);

    expect(again.backupId).toBe('20270202T020000Z-2');
    expect(await backup.finish()).toMatchObject({ rows: ROWS });
  });

  test('a delivery after the backup was made finds it made', async () => {
    const scheduledTime = '2027-02-03T02:00:00Z';
    const backup = distributedBackup(source, { scheduledTime });
    await backup.copyAll((await backup.plan()).groups);
    await backup.finish();

    expect(await distributedBackup(source, { scheduledTime }).plan()).toMatchObject({
      mode: 'made',
      backupId: '20270203T020000Z',
    });
  });
});

describe('a copy step', () => {
  test('meets its deadline in the middle of a range: the range is split, the next pass goes on, the backup is exact', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    const deadline = new AbortController();
    const running = backup.copy(0, 1, { signal: deadline.signal });
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and query like 'COPY (SELECT%readings%'",
    );
    deadline.abort(outOfTime);

    expect(await running).toMatchObject({ group: 0, pass: 2, done: false });
    for (let answer = await backup.copy(0, 2); !answer.done; answer = await backup.copy(0, answer.pass));
    await backup.copyAll(groups.slice(1));
    const result = await backup.finish();

    expect(result.rows).toBe(ROWS);
    const readings = (await manifestOf(result.backupId)).tables.find(({ name }) => name === 'readings');
    expect(readings?.ranges).toHaveLength(groups.length);
  });

  test('meets its deadline in a table that was planned as one range: it gets an upload for its halves, the backup is exact', async () => {
    await source.fresh.query(
      'create table app.single as select n, md5(n::text) || md5((n + 1)::text) t from generate_series(1, 150000) n',
    );
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    const deadline = new AbortController();
    const running = Promise.all(groups.map(async (group) => await backup.copy(group, 1, { signal: deadline.signal })));
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and state = 'active' and query like 'COPY %single%'",
    );
    deadline.abort(outOfTime);
    for (let answer of await running) while (!answer.done) answer = await backup.copy(answer.group, answer.pass);
    const result = await backup.finish();
    await source.fresh.query('drop table app.single');

    expect(result.rows).toBe(ROWS + 150_000);
    const single = (await manifestOf(result.backupId)).tables.find(({ name }) => name === 'single');
    expect(single?.ranges.length).toBeGreaterThan(1);
    expect((await leftInBucket()).uploads).toEqual([]);
  });

  test('is started again after it died before its record was stored: the same parts again, the backup is whole', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    aws.setFault(({ key }) => (key.includes('/work/0-') ? { status: 403, code: 'AccessDenied' } : undefined));
    await expect(backup.copy(0)).rejects.toThrow(/AccessDenied/);
    aws.setFault(undefined);

    await backup.copyAll(groups);

    expect(await backup.finish()).toMatchObject({ rows: ROWS });
    expect((await leftInBucket()).uploads).toEqual([]);
  });

  test('is delivered twice at the same time: both give the same answer, the backup is whole', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();

    const answers = await Promise.all([backup.copy(0), backup.copy(0)]);
    await backup.copyAll(groups.slice(1));

    expect(answers[0]).toEqual(answers[1]);
    expect(await backup.finish()).toMatchObject({ rows: ROWS });
  });

  test('was never started for one group: finish names the rows that are missing and writes no manifest', async () => {
    const backup = distributedBackup(source);
    const { groups, backupId } = await backup.plan();
    await backup.copyAll(groups.slice(1));

    await expect(backup.finish()).rejects.toThrow(
      /table "app"\."readings" has a range from block \d+ where \d+ must begin|were not copied/,
    );

    expect((await leftInBucket()).objects).not.toContain(`shop/${backupId}/manifest.json`);
    await expect(backup.abort('a group is missing')).rejects.toThrow(/a group is missing/);
  });
});

describe('abort', () => {
  test('lets the snapshot go, aborts the uploads, marks the attempt: the next one may begin at once', async () => {
    const scheduledTime = '2027-02-04T02:00:00Z';
    const backup = distributedBackup(source, { scheduledTime });
    await backup.plan();
    await backup.copy(0);

    const cause = JSON.stringify({ errorType: 'JobFailure', errorMessage: 'copy failed: the disk is full' });
    await expect(backup.abort(cause)).rejects.toThrow(/backup 20270204T020000Z failed: copy failed: the disk is full/);

    expect(await sessionsGone(source.fresh, 2_000)).toBeLessThan(2_000);
    expect((await leftInBucket()).uploads).toEqual([]);
    const again = distributedBackup(source, { scheduledTime });
    expect(await again.plan()).toMatchObject({ backupId: '20270204T020000Z-2' });
    await expect(again.abort('a test')).rejects.toThrow(/a test/);
  });
});

describe('somebody wants a lock during a distributed backup', () => {
  test('a TRUNCATE waits from the plan to the end: the backup completes with every row, then the TRUNCATE does', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    const session = await source.fresh.client();
    let isTruncated = false;
    const truncating = (async () => {
      await session.query('truncate app.notes');
      isTruncated = true;
    })();
    await waitForRow(source.fresh, "select pid from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'");

    await backup.copyAll(groups);
    expect(isTruncated).toBe(false);
    const result = await backup.finish();

    await truncating;
    expect(result.rows).toBe(ROWS);
    await sleep(10);
    await source.fresh.query("insert into app.notes select n, 'note ' || n from generate_series(1, 1000) n");
  });
});
