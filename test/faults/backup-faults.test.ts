import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';

/** What a process that can still act may take to close its sessions (design of failure handling). */
const GONE_WITHIN_MS = 2_000;

let aws: LocalAws;
let source: BackupSource;
let folder: string;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws);
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-faults-'));
});

afterEach(() => {
  aws.setFault(undefined);
  source.restorePrograms();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
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

async function expectNothingLeft(): Promise<void> {
  expect(await sessionsGone(source.fresh, GONE_WITHIN_MS)).toBeLessThan(GONE_WITHIN_MS);
  expect(await leftInBucket()).toEqual({ objects: [], uploads: [] });
}

const PG_DUMP_COPIES =
  "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and query like 'COPY %readings%'";

describe('runBackup', () => {
  test('pg_dump writes a whole archive and then exits with 1: no object, no manifest, the exit code in the error', async () => {
    source.replaceProgram('pg_dump', '"$REAL" "$@"; exit 1');

    const failure = await failedBackup();

    expect(failure.code).toBe('client_tools.failed');
    expect(failure.message).toMatch(
      /pg_dump exited with code 1 after [1-9]\d* bytes.*no object and no backup was recorded.*Hint:/s,
    );
    await expectNothingLeft();
  });

  test('pg_dump exits with 0 but what it wrote is no archive: refused', async () => {
    source.replaceProgram('pg_dump', 'echo this is no archive');

    const failure = await failedBackup();

    expect(failure.message).toMatch(/the first bytes are "this " but an archive begins with "PGDMP"/);
    await expectNothingLeft();
  });

  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'pg_dump is killed with -9 midway (round %i): no object, no orphan part, sessions gone',
    async () => {
      const pidFile = join(folder, 'pg_dump.pid');
      source.replaceProgram('pg_dump', `echo $$ > ${pidFile}; exec "$REAL" "$@"`);
      const backup = failedBackup();
      await waitForRow(source.fresh, PG_DUMP_COPIES);

      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');

      expect((await backup).message).toMatch(/pg_dump was ended by SIGKILL/);
      await expectNothingLeft();
    },
  );

  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'the backend of pg_dump is terminated midway (round %i): no object, the error says so',
    async () => {
      const backup = failedBackup();
      const { pid } = await waitForRow<{ pid: number }>(source.fresh, PG_DUMP_COPIES);

      await source.fresh.query('select pg_terminate_backend($1)', [pid]);

      expect((await backup).message).toMatch(
        /pg_dump exited with code 1 .*(terminating connection|EOF detected|closed the connection)/s,
      );
      await expectNothingLeft();
    },
  );

  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'the backend that holds the snapshot is terminated midway (round %i): pg_dump is stopped, no object',
    async () => {
      source.replaceProgram('pg_dump', 'sleep 0.3; exec "$REAL" "$@"');
      const backup = source.backUp();
      const { pid } = await waitForRow<{ pid: number }>(
        source.fresh,
        "select pid from pg_stat_activity where datname = $1 and application_name = 'nightshift/backup' and query like 'select count(*)%'",
      );

      await source.fresh.query('select pg_terminate_backend($1)', [pid]);

      await expect(backup).rejects.toMatchObject({ code: 'database.session_lost' });
      await expectNothingLeft();
    },
  );

  test('the time limit comes near midway: it stops itself, no object, sessions gone', async () => {
    const deadline = new AbortController();
    const outOfTime = new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' });
    const backup = failedBackup({ signal: deadline.signal });
    await waitForRow(source.fresh, PG_DUMP_COPIES);

    deadline.abort(outOfTime);

    expect((await backup).code).toBe('job.out_of_time');
    await expectNothingLeft();
  });

  test('pg_dump ends with 0 after half of its table of contents: refused, no object', async () => {
    source.replaceProgram('pg_dump', '"$REAL" "$@" | head -c 3000; exit 0');

    const failure = await failedBackup();

    expect(failure.message).toMatch(/table of contents is not as it must be at byte [\d,]+.*the archive ended before/);
    await expectNothingLeft();
  });

  test('S3 refuses the third part for good: pg_dump is stopped, the upload aborted', async () => {
    aws.setFault(({ partNumber }) => (partNumber === 3 ? { status: 403, code: 'AccessDenied' } : undefined));

    const failure = await failedBackup();

    expect(failure.message).toMatch(/upload part 3 of ".*archive\.dump" in bucket "backups" failed: AccessDenied/);
    aws.setFault(undefined);
    await expectNothingLeft();
  });

  test('S3 refuses the manifest: there is no backup, whatever else is there', async () => {
    aws.setFault(({ key }) => (key.endsWith('manifest.json') ? { status: 403, code: 'AccessDenied' } : undefined));

    const failure = await failedBackup({}, { scheduledTime: '2026-02-01T02:00:00Z' });

    expect(failure.message).toMatch(/put "shop\/20260201T020000Z\/manifest\.json"/);
    const { objects, uploads } = await leftInBucket();
    expect(objects.filter((key) => key.endsWith('manifest.json'))).toEqual([]);
    expect(uploads).toEqual([]);
  });
});

describe('runBackup, when S3 has hiccups', () => {
  test('each part is refused once with 503 and the answers of completion, globals and manifest are lost: the backup is whole', async () => {
    aws.setFault(({ operation, key, partNumber }) => {
      if (partNumber !== undefined) return { status: 503, code: 'SlowDown', times: 1 };
      if (operation === 'CompleteMultipartUpload' && dropOnce('complete')) return 'drop-answer';
      if (key.endsWith('manifest.json') && operation === 'PutObject' && dropOnce('manifest')) return 'drop-answer';
      if (key.endsWith('globals.sql') && operation === 'PutObject' && dropOnce('globals')) return 'drop-answer';
      return undefined;
    });
    const dropped = new Set<string>();
    function dropOnce(what: string): boolean {
      if (dropped.has(what)) return false;
      dropped.add(what);
      return true;
    }

    const result = await source.backUp({}, { scheduledTime: '2026-02-02T02:00:00Z' });

    expect(dropped).toEqual(new Set(['complete', 'globals', 'manifest']));
    expect(result).toMatchObject({ backupId: '20260202T020000Z', alreadyMade: false, tables: 2 });
    expect((await leftInBucket()).objects).toContain('shop/20260202T020000Z/manifest.json');
  });
});
