import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { rounds } from '../support/test-size.ts';
import { leftInBucket, sessionsGone } from '../support/what-is-left.ts';

/** What the sessions of a vanished process may take to end (design of failure handling). */
const GONE_WITHIN_MS = 60_000;
const LEASE_MS = 6_000;
const script = fileURLToPath(new URL('../support/backup-child.ts', import.meta.url));

let aws: LocalAws;
let source: BackupSource;
/** How long a backup takes in a process of its own, from its start to its end. */
let wholeMs: number;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws);
  const from = performance.now();
  const child = startChild('2026-06-01T02:00:00.000Z');
  expect(await child.gone).toEqual({ code: 0, signal: null });
  wholeMs = performance.now() - from;
});

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

function startChild(scheduledTime: string) {
  const job = { settings: source.settings, scheduledTime, timeLimitMs: LEASE_MS };
  const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: 'ignore' });
  const gone = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  return { kill: () => child.kill('SIGKILL'), gone };
}

describe('a backup whose process is killed with -9', () => {
  test.each(Array.from({ length: rounds }, (_, moment) => moment))(
    'at any moment (moment %i): whole or no backup; its sessions end by themselves; the next attempt sweeps and is whole',
    async (moment) => {
      const scheduledTime = new Date(Date.UTC(2026, 6, 1 + moment, 2)).toISOString();
      const id = `${scheduledTime.slice(0, 10).replaceAll('-', '')}T020000Z`;
      const child = startChild(scheduledTime);
      // Spread over the whole run, with some chance in each part of it.
      await sleep((wholeMs * (moment + Math.random())) / rounds);

      child.kill();

      const { code } = await child.gone;
      await sessionsGone(source.fresh, GONE_WITHIN_MS);
      const left = await leftInBucket();
      const isMade = left.objects.includes(`shop/${id}/manifest.json`);
      if (code === 0) expect(isMade).toBe(true);

      const again = await whenLeaseIsOver(async () => await source.backUp({}, { scheduledTime }));

      // Killed before its claim: the first attempt is still free.
      expect(again).toMatchObject({ alreadyMade: isMade, tables: 2, rows: 501_000 });
      expect(again.backupId.startsWith(id)).toBe(true);
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
      await sleep(100);
    }
  }
}
