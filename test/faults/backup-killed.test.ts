import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';

/** What the sessions of a vanished process may take to end (design of failure handling). */
const GONE_WITHIN_MS = 60_000;
const LEASE_MS = 2_000;
const script = fileURLToPath(new URL('../support/backup-child.ts', import.meta.url));

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws);
});

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

function startChild(scheduledTime: string) {
  const job = { settings: source.settings, scheduledTime, timeLimitMs: LEASE_MS };
  const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: 'ignore' });
  const gone = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  return { kill: () => child.kill('SIGKILL'), gone };
}

describe('a backup whose process is killed with -9', () => {
  test.each(Array.from({ length: rounds }, (_, round) => round))(
    'midway (round %i): no backup, the sessions end by themselves, the next attempt sweeps and succeeds once the lease is over',
    async (round) => {
      const scheduledTime = new Date(Date.UTC(2026, 6, 1 + round, 2)).toISOString();
      const id = `${scheduledTime.slice(0, 10).replaceAll('-', '')}T020000Z`;
      const child = startChild(scheduledTime);
      await waitForRow(
        source.fresh,
        "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and query like 'COPY %readings%'",
      );

      child.kill();

      expect(await child.gone).toBe('SIGKILL');
      await sessionsGone(source.fresh, GONE_WITHIN_MS);
      const left = await leftInBucket();
      expect(left.objects.filter((key) => key.includes(id))).toEqual([]);
      expect(left.uploads).toEqual([`shop/${id}/archive.dump`]);

      await expect(source.backUp({}, { scheduledTime })).rejects.toThrow(/still running/);
      const again = await whenLeaseIsOver(async () => await source.backUp({}, { scheduledTime }));

      expect(again).toMatchObject({ backupId: `${id}-2`, tables: 2, rows: 501_000 });
      expect((await leftInBucket()).uploads).toEqual([]);
    },
  );
});

async function whenLeaseIsOver<T>(attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + 2 * LEASE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!String(error).includes('still running') || performance.now() > until) throw error;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}
