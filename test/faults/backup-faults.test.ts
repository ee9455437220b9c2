import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';

/** What a process that can still act may take to close its sessions (design of failure handling). */
const GONE_WITHIN_MS = 2_000;
const ROWS = 501_000;

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws);
});

afterEach(() => {
  aws.setFault(undefined);
  source.restorePrograms();
});

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

async function failedBackup(...backUp: Parameters<BackupSource['backUp']>): Promise<JobFailure> {
  try {
    const result = await source.backUp(...backUp);
    throw new Error(`a false success: ${JSON.stringify(result)}`);
  } catch (error) {
    if (error instanceof JobFailure) return error;
    throw error;
  }
}

/** No session, no upload, and no manifest besides those that were there before. */
async function expectNothingLeft(manifests: readonly string[]): Promise<void> {
  expect(await sessionsGone(source.fresh, GONE_WITHIN_MS)).toBeLessThan(GONE_WITHIN_MS);
  expect((await leftInBucket()).uploads).toEqual([]);
  expect(await manifestsNow()).toEqual(manifests);
}

async function manifestsNow(): Promise<string[]> {
  return (await leftInBucket()).objects.filter((key) => key.endsWith('/manifest.json'));
}

const round = Array.from({ length: rounds }, (_, number) => number);

describe('pg_dump, which gives the table of contents', () => {
  test.each([
    [
      'exits with 1 before it is whole',
      '"$REAL" "$@" | head -c 3000; exit 1',
      /pg_dump exited with code 1 before its table of contents/,
    ],
    [
      'is killed with -9 before it is whole',
      '"$REAL" "$@" | head -c 3000; kill -9 $$',
      /pg_dump was ended by SIGKILL before its table of contents/,
    ],
    [
      'ends with 0 after half of it',
      '"$REAL" "$@" | head -c 3000; exit 0',
      /table of contents is not as it must be.*the archive ended before/,
    ],
    [
      'writes something else',
      'echo this is no archive',
      /the first bytes are "this " but an archive begins with "PGDMP"/,
    ],
    [
      'writes it whole and no data at all, as when it fails at the first row',
      '"$REAL" "$@" | head -c 4; exit 1',
      /pg_dump exited with code 1/,
    ],
  ])('%s: no backup, sessions gone', async (_, script, problem) => {
    const before = await manifestsNow();
    source.replaceProgram('pg_dump', script);

    const failure = await failedBackup();

    expect(failure.message).toMatch(problem);
    await expectNothingLeft(before);
  });

  test('is killed with -9 once it is whole: its locks are held by then, the backup has every row', async () => {
    source.replaceProgram('pg_dump', '"$REAL" "$@" | head -c 150000; kill -9 $$');

    expect(await source.backUp()).toMatchObject({ tables: 2, rows: ROWS });
  });
});

describe('the sessions of a backup', () => {
  const COPYING =
    "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and query like 'COPY (SELECT%readings%'";
  const HOLDING =
    "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/holder 2%'";

  test.each(round)('a worker is terminated while it copies (round %i): no backup, the others stop', async () => {
    const before = await manifestsNow();
    const backup = failedBackup();
    const { pid } = await waitForRow<{ pid: number }>(source.fresh, COPYING);

    await source.fresh.query('select pg_terminate_backend($1)', [pid]);

    expect((await backup).code).toBe('database.session_lost');
    await expectNothingLeft(before);
  });

  test.each(round)('the holder of the snapshot is terminated midway (round %i): no backup', async () => {
    const before = await manifestsNow();
    const backup = failedBackup();
    await waitForRow(source.fresh, COPYING);
    const { pid } = await waitForRow<{ pid: number }>(source.fresh, HOLDING);

    await source.fresh.query('select pg_terminate_backend($1)', [pid]);

    expect(['backup.snapshot_lost', 'database.session_lost']).toContain((await backup).code);
    await expectNothingLeft(before);
  });

  test('the time limit comes near midway: it stops itself, sessions gone', async () => {
    const before = await manifestsNow();
    const deadline = new AbortController();
    const outOfTime = new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' });
    const backup = failedBackup({ signal: deadline.signal });
    await waitForRow(source.fresh, COPYING);

    deadline.abort(outOfTime);

    expect((await backup).code).toBe('job.out_of_time');
    await expectNothingLeft(before);
  });
});
