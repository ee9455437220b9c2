// The longest that a backup is kept, against the real plan of expire on years of nights.
import { describe, expect, test } from 'vitest';
import { expireSettings } from '../../functions/expire/environment.ts';
import { planExpiry } from '../../functions/expire/plan-expiry.ts';
import type { DatabaseConfig } from '../../infra/config.ts';
import { keepPolicyText } from '../../infra/expiry-config.ts';
import { longestBackupDays } from '../../infra/longest-backup-days.ts';

type Settings = Parameters<typeof longestBackupDays>[0];
const DAY_MS = 86_400_000;
const daily = (everyDays: number) => ({ everyDays, at: '02:00', slackHours: 3, flexibleMinutes: 10 });

function settings(keep: DatabaseConfig['expire']['keep'], everyDays = 1, more: Partial<Settings> = {}): Settings {
  const expire = { keep, keepAtLeast: 1, keepUnverifiedDays: 1, maxDeletePercent: 100 } as DatabaseConfig['expire'];
  return {
    expire,
    schedules: { backup: daily(everyDays), expire: daily(1) },
    backupStore: {},
    replica: undefined,
    ...more,
  };
}

/** The age in days of the oldest backup that was ever there, when expire runs each night. */
function oldestSeen({ expire, schedules }: Settings, days: number, isMade: (day: number) => boolean): number {
  const keep = expireSettings.KEEP_POLICY.parse(keepPolicyText(expire.keep)) ?? {};
  const { keepAtLeast, keepUnverifiedDays, maxDeletePercent } = expire;
  let present: { backupId: string; takenAt: string; bytes: number; state: 'verified' }[] = [];
  let oldest = 0;
  const from = Date.parse('2026-12-20T02:00:00Z');
  for (let day = 0; day < days; day += 1) {
    const now = new Date(from + day * DAY_MS);
    const takenAt = now.toISOString();
    // As the schedule: days 1, 1 + n … of each month.
    if ((now.getUTCDate() - 1) % schedules.backup.everyDays === 0 && isMade(day))
      present.push({ backupId: takenAt, takenAt, bytes: 1, state: 'verified' });
    for (const backup of present) oldest = Math.max(oldest, (now.getTime() - Date.parse(backup.takenAt)) / DAY_MS);
    const { backups } = planExpiry({
      backups: present,
      settings: { keep, timeZone: 'Europe/Berlin', keepAtLeast, keepUnverifiedDays, maxDeletePercent },
      now,
      lastRun: undefined,
      unreadable: [],
      allowLargePlan: true,
      clockIsRight: true,
    });
    const kept = new Set(backups.filter(({ decision }) => decision === 'keep').map(({ backupId }) => backupId));
    present = present.filter(({ backupId }) => kept.has(backupId));
  }
  return oldest;
}

describe('longestBackupDays', () => {
  test.each([
    [{ last: 10 }, 1, 200],
    [{ last: 10 }, 6, 400],
    [{ hourly: 48 }, 1, 200],
    [{ daily: 14 }, 1, 200],
    [{ daily: 14 }, 3, 400],
    [{ weekly: 8 }, 1, 300],
    [{ weekly: 8 }, 6, 400],
    [{ within: '30d' }, 1, 200],
    [{ within: '1y1m1d1h' }, 2, 1_000],
    [{ monthly: 14 }, 1, 1_100],
    [{ yearly: 2 }, 6, 2_600],
    [{ daily: 7, weekly: 4, monthly: 3 }, 1, 500],
  ] as const)(
    '%o, every %i days: no backup is older than said, and it is not said to be much longer',
    (keep, everyDays, days) => {
      const asked = settings(keep, everyDays);
      const said = longestBackupDays(asked, false) ?? 0;

      const asScheduled = oldestSeen(asked, days, () => true);
      // Now and then a night has no backup.
      const withGaps = oldestSeen(asked, days, (day) => day % 17 !== 3);

      expect(asScheduled).toBeLessThanOrEqual(said);
      expect(withGaps).toBeLessThanOrEqual(said);
      // Also proves that the nights were many enough for something to be deleted.
      expect(asScheduled).toBeGreaterThan(said * 0.4);
      expect(asScheduled).toBeLessThan(days - 7);
    },
  );

  test.each([
    ['years of which the first is a leap year', { yearly: 5 }, 5 * 365 + 2 + 9],
    ['months', { monthly: 14 }, 366 + 2 * 31 + 9],
    ['a duration of the calendar', { within: '1y6m7d12h' }, 366 + 186 + 8 + 9],
    ['the longest of several rules', { last: 3, daily: 30, weekly: 2 }, 30 + 9],
  ])('%s: the most days that they can have', (_, keep, days) => {
    expect(longestBackupDays(settings(keep), false)).toBe(days);
  });

  test('what keeps a backup beside the rules counts too', () => {
    const base = settings({ last: 3 });

    expect(longestBackupDays({ ...base, expire: { ...base.expire, keepAtLeast: 20 } }, false)).toBe(20 + 9);
    expect(longestBackupDays({ ...base, expire: { ...base.expire, keepUnverifiedDays: 60 } }, false)).toBe(60 + 9);
    expect(longestBackupDays({ ...base, backupStore: { objectLock: { mode: 'compliance', days: 90 } } }, false)).toBe(
      90 + 9,
    );
    expect(longestBackupDays({ ...base, schedules: { backup: daily(1), expire: daily(6) } }, false)).toBe(3 + 7 + 42);
  });

  test.each([
    ['a replica has a lifecycle elsewhere', { replica: { bucketArn: 'arn:aws:s3:::copies', keyArn: 'arn' } }],
    ['expire runs only by hand', { schedules: { backup: daily(1), expire: null } }],
  ] as const)('%s: not known', (_, more) => {
    expect(longestBackupDays({ ...settings({ last: 3 }), ...(more as Partial<Settings>) }, false)).toBeNull();
  });

  test('everything is paused: not known', () => {
    expect(longestBackupDays(settings({ last: 3 }), true)).toBeNull();
  });
});
