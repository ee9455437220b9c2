import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tryAdvisoryLock } from '../../functions/shared/advisory-lock.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { leftInBucket, sessionsGone, waitForRow } from '../support/what-is-left.ts';

let aws: LocalAws;
let source: BackupSource;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
});

afterAll(async () => {
  await source.drop();
  await aws.stop();
});

/** A clock on which a wait of a second takes a few milliseconds. */
function quickClock() {
  let waited = 0;
  return {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + waited,
    sleep: async (ms: number, signal?: AbortSignal) => {
      waited += ms;
      await systemClock.sleep(5, signal);
    },
  };
}

describe('a backup and a migration', () => {
  test('a migration holds nightshift:schema for longer than a minute: the backup fails and names the holder', async () => {
    const migration = source.fresh.database('migrate');
    const clock = quickClock();
    const from = clock.monotonicMs();

    await migration.withSession(async (session) => {
      await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive');
      await expect(source.backUp({ clock })).rejects.toThrow(
        /backup needs the lock "nightshift:schema" \(shared\), which is held by pid \d+ \(.*exclusive.*Nothing was dumped/,
      );
    });
    await migration.close();

    expect(clock.monotonicMs() - from).toBeGreaterThanOrEqual(60_000);
    await sessionsGone(source.fresh, 2_000);
    expect(await leftInBucket()).toEqual({ objects: [], uploads: [] });
  });

  test('the migration ends while the backup waits: the backup is made', async () => {
    const migration = source.fresh.database('migrate');
    let backup: ReturnType<BackupSource['backUp']> | undefined;

    await migration.withSession(async (session) => {
      const lock = await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive');
      backup = source.backUp();
      await waitForRow(
        source.fresh,
        "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup 2%' and state = 'idle'",
      );
      if (lock.held) await lock.unlock();
    });
    await migration.close();

    expect(await backup).toMatchObject({ tables: 2, alreadyMade: false });
  });

  test('a backup is at work: a migration is refused with the backup named, and may run afterwards', async () => {
    source.replaceProgram('pg_dump', 'sleep 0.5; exec "$REAL" "$@"');
    const backup = source.backUp();
    await waitForRow(
      source.fresh,
      "select pid from pg_stat_activity where datname = $1 and application_name like 'nightshift/backup%' and state = 'idle in transaction'",
    );
    const migration = source.fresh.database('migrate');

    const during = await migration.withSession(
      async (session) => await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive'),
    );
    await backup;
    const after = await migration.withSession(async (session) => {
      const lock = await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive');
      if (lock.held) await lock.unlock();
      return lock.held;
    });
    await migration.close();

    const holder = { applicationName: expect.stringMatching(/^nightshift\/backup 2026/), mode: 'shared' };
    expect(during).toMatchObject({ held: false, holders: [holder] });
    expect(after).toBe(true);
  });
});
