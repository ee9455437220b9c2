// The network and the server's neighbours while a backup is made: a way that goes silent, an S3 that does not answer, a
// secret that is rotated, DDL of somebody else. Each comes in mid-copy, with a COPY on the way.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { distributedBackup } from '../support/distributed-backup.ts';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { BUCKET, type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { compareByDump } from '../support/rich-source/compare-by-dump.ts';
import { stockClient } from '../support/rich-source/restored-database.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';
import { type SilentWay, startSilentWay } from './silent-way.ts';

const run = promisify(execFile);
/** What the sessions of a vanished process may take to end (design of failure handling). */
const GONE_WITHIN_MS = 60_000;
/** The patience with a server that does not answer, the wait for a connection, and the clean-up in S3. */
const FAILED_WITHIN_MS = 20_000;
const TIMEOUT = 120_000;
/** Four ranges of app.readings, each larger than what the buffers of the kernel take. */
const READINGS = 1_500_000;
const ROWS = READINGS + 1_000;
const COPYING =
  "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and query like 'COPY (SELECT%readings%' and state = 'active'";
/** Both workers are at it: a session that has only just logged in has no limits yet, and is not what these tests are about. */
const ALL_COPYING = `${COPYING.replace('select pid', 'select')} having count(*) = 2`;
const child = fileURLToPath(new URL('../support/backup-child.ts', import.meta.url));
const outOfTime = new JobFailure({ code: 'job.out_of_time', problem: 'p', safeState: 's', hint: 'h' });

let aws: LocalAws;
let source: BackupSource;
/** Another database, so that two silences can be waited for at the same time. */
let other: BackupSource;
const ways: SilentWay[] = [];

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, READINGS);
  other = await createBackupSource(aws, READINGS);
});

afterEach(() => aws.setFault(undefined));

afterAll(async () => {
  for (const way of ways) way.close();
  await source.drop();
  await other.drop();
  await aws.stop();
});

/** A new way to the server, by which the backups of this source go from now on. */
async function openWay(of: BackupSource): Promise<SilentWay> {
  const way = await startSilentWay(of.fresh.credentials());
  ways.push(way);
  const password = await of.rotate({ secret: true });
  const { host, dbname } = of.fresh.credentials();
  const login = { engine: 'postgres', host, port: way.port, dbname, username: of.role, password };
  aws.secrets.setSecret(of.secretArn, JSON.stringify(login));
  return way;
}

describe.concurrent('the way to the server goes silent in mid-copy, over TLS', () => {
  test('the process can still act: it fails at its deadline with that reason, and its sessions are gone within 60 s', {
    timeout: TIMEOUT,
  }, async () => {
    const way = await openWay(source);
    const deadline = new AbortController();
    const backup = source.backUp({ signal: deadline.signal }).catch((error: unknown) => error);
    await waitForRow(source.fresh, ALL_COPYING);
    way.goSilent();
    const from = performance.now();
    deadline.abort(outOfTime);

    const failure = await backup;
    const failedMs = performance.now() - from;
    await sessionsGone(source.fresh, GONE_WITHIN_MS - failedMs);

    expect(failure).toMatchObject({ code: 'job.out_of_time' });
    expect(failedMs).toBeLessThan(FAILED_WITHIN_MS);
    const { objects, uploads } = await leftInBucket();
    expect(uploads.filter((key) => key.startsWith('shop/'))).toEqual([]);
    expect(objects.filter((key) => key.startsWith('shop/') && key.endsWith('/manifest.json'))).toEqual([]);
    await openWay(source);
  });

  test('the process is killed with -9 as well: all of its sessions, holder and workers, are gone within 60 s', {
    timeout: TIMEOUT,
  }, async () => {
    const way = await openWay(other);
    const settings = { ...other.settings, DATABASE_NAME: 'killed' };
    const job = { settings, scheduledTime: '2026-06-01T02:00:00.000Z', timeLimitMs: 6_000 };
    const killed = spawn(process.execPath, [child, JSON.stringify(job)], { stdio: 'ignore' });
    await waitForRow(other.fresh, ALL_COPYING);
    way.goSilent();
    killed.kill('SIGKILL');

    expect(await sessionsGone(other.fresh, GONE_WITHIN_MS)).toBeLessThan(GONE_WITHIN_MS);
  });
});

describe('the way to the server goes silent under a copy step', () => {
  test(
    'it gives up at its deadline and stores what it has; the way is back, the next pass goes on: exact',
    async () => {
      const way = await openWay(source);
      const backup = distributedBackup(source);
      const { groups } = await backup.plan();
      const deadline = new AbortController();
      const running = backup.copy(0, 1, { signal: deadline.signal });
      await waitForRow(source.fresh, COPYING);
      way.goSilent();
      const from = performance.now();
      deadline.abort(outOfTime);

      expect(await running).toMatchObject({ done: false, pass: 2 });
      expect(performance.now() - from).toBeLessThan(FAILED_WITHIN_MS);

      way.recover();
      for (let answer = await backup.copy(0, 2); !answer.done; answer = await backup.copy(0, answer.pass));
      await backup.copyAll(groups.slice(1));
      expect(await backup.finish()).toMatchObject({ rows: ROWS });
      // The lost session has more to send than it can, for 25 s.
      await sessionsGone(source.fresh, GONE_WITHIN_MS);
    },
    TIMEOUT,
  );
});

describe('S3 takes parts and never answers, the connections stay open', () => {
  test('every first try of a part: each is tried again and the backup is whole', async () => {
    const hung = new Set<string>();
    aws.setFault(({ operation, key, partNumber }) => {
      const part = `${key} ${partNumber}`;
      if (operation !== 'UploadPart' || hung.has(part)) return undefined;
      hung.add(part);
      return 'hang';
    });

    const result = await source.backUp({ store: createObjectStore(BUCKET, { answerTimeoutMs: 1_000 }) });

    expect(hung.size).toBeGreaterThan(4);
    expect(result).toMatchObject({ alreadyMade: false, rows: ROWS });
    expect((await leftInBucket()).uploads.filter((key) => key.startsWith('shop/'))).toEqual([]);
  });
});

describe('the secret is rotated in mid-backup', () => {
  test('before the workers log in: the holder lives on, the workers read the secret again, the backup is whole', async () => {
    source.replaceProgram('pg_dump', 'sleep 1; exec "$REAL" "$@"');
    const reads = () => aws.secrets.requests().filter(({ secretId }) => secretId === source.secretArn).length;
    const before = reads();
    const backup = source.backUp({ settings: { ...source.settings, WORKERS: 3, MAX_CONNECTIONS: 8 } });
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and state = 'idle in transaction'",
    );
    await source.rotate({ secret: true });

    expect(await backup).toMatchObject({ rows: ROWS });
    expect(reads() - before).toBeLessThanOrEqual(3);
    source.restorePrograms();
  });

  test('while rows are copied, between two steps: living sessions go on, later steps log in with the new one', async () => {
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    const running = backup.copy(0);
    const { pid } = await waitForRow<{ pid: number }>(source.fresh, COPYING);
    await source.rotate({ secret: true });

    expect(await running).toMatchObject({ done: true });
    expect(pid).toBeGreaterThan(0);
    await backup.copyAll(groups.slice(1));
    expect(await backup.finish()).toMatchObject({ rows: ROWS });
  });
});

describe('DDL of somebody else while a backup is made', () => {
  test('ADD COLUMN, CREATE INDEX CONCURRENTLY and DROP TABLE queue up: the backup is exact, then they go on', {
    timeout: TIMEOUT,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-network-'));
    const reference = join(folder, 'before.sql');
    const { clientDirectory, environment } = stockClient();
    const ddl = [
      'alter table app.readings add column more text',
      'create index concurrently notes_by_body on app.notes (body)',
      'drop table app.doomed',
    ];
    await source.fresh.query('create table app.doomed as select n from generate_series(1, 1000) n');
    await run(join(clientDirectory, 'pg_dump'), [`--file=${reference}`, source.fresh.name], { env: environment });
    const backup = distributedBackup(source);
    const { groups } = await backup.plan();
    const waiting = await Promise.all(
      ddl.map(async (sql) => {
        const session = await source.fresh.client();
        return { sql, ended: session.query(sql).then(() => sql) };
      }),
    );
    await waitForRow(
      source.fresh,
      "select from pg_stat_activity where datname = $1 and application_name = 'test' and wait_event_type = 'Lock' having count(*) >= 3",
    );

    await backup.copyAll(groups);
    const { backupId } = await backup.finish();

    expect(await Promise.all(waiting.map(async ({ ended }) => await ended))).toEqual(ddl);
    const restored = await createFreshDatabase();
    const archive = join(aws.bucketFolder, backupKeys('shop', backupId).archive);
    await run(
      join(clientDirectory, 'pg_restore'),
      ['--exit-on-error', '--jobs=2', `--dbname=${restored.name}`, archive],
      {
        env: environment,
      },
    );
    expect(await compareByDump({ file: reference }, { ...stockClient(), database: restored.name })).toBeUndefined();
    await restored.drop();
    rmSync(folder, { recursive: true, force: true });
  });
});
