// The schema of `backupStore` in nightshift.config.ts, and how long a lock may be beside the expiry policy.
import { z } from 'zod';
import type { DatabaseConfig } from './config.ts';
import { wholeNumber } from './config-fields.ts';

/** Longest lock that S3 takes as a default, 100 years (API reference of PutObjectLockConfiguration). */
const MOST_LOCK_DAYS = 36_500;

export const backupStoreSchema = z
  .strictObject(
    {
      objectLock: z
        .strictObject(
          {
            mode: z
              .enum(['governance', 'compliance'], 'must be "governance" or "compliance"')
              .describe(
                'governance: a role with s3:BypassGovernanceRetention may still delete; compliance: nobody may, not even the account.',
              ),
            days: wholeNumber(1, MOST_LOCK_DAYS, 'days').describe(
              'How long every new object is locked, run records and reports too. At most as long as expire keeps a backup.',
            ),
          },
          'must be { mode, days }',
        )
        .optional()
        .describe(
          'S3 Object Lock: nobody deletes a backup before its time. Decide before the first deploy: for a bucket that exists, CloudFormation makes a new one and leaves the old one with its backups.',
        ),
    },
    'must be the settings of the bucket',
  )
  .prefault({});

/** A time for which a backup is kept, and the settings that say so. */
interface KeptFor {
  days: number;
  because: string;
}

/**
 * The shortest time that the policy keeps a backup of the schedule.
 *
 * Rules are joined by "or", so the longest of those that keep every backup counts: `within`, and the rules that count
 * backups of which the schedule makes one in each hour or day. The newest of a week, month or year is not every backup.
 */
export function shortestKeep({
  expire,
  schedules,
}: Pick<DatabaseConfig, 'expire'> & { schedules: Pick<DatabaseConfig['schedules'], 'backup'> }): KeptFor {
  const { everyDays } = schedules.backup;
  const { keep, keepUnverifiedDays } = expire;
  const verified: KeptFor[] = [{ days: everyDays, because: 'schedules.backup.everyDays' }];
  if (keep.within !== undefined) verified.push({ days: daysOf(keep.within), because: `expire.keep.within` });
  for (const rule of ['last', 'hourly', 'daily'] as const) {
    const count = keep[rule];
    if (count !== undefined) verified.push({ days: count * everyDays, because: `expire.keep.${rule}` });
  }
  const unverified = { days: keepUnverifiedDays, because: 'expire.keepUnverifiedDays' };
  const longest = verified.reduce((a, b) => (b.days > a.days ? b : a));
  return unverified.days < longest.days ? unverified : longest;
}

/** Whole days that a duration lasts at the least: a month may have 28. */
function daysOf(within: string): number {
  const amount = (unit: string) => Number(new RegExp(`(\\d+)${unit}`).exec(within)?.[1] ?? 0);
  const months = amount('m');
  const monthDays = Math.floor(months / 12) * 365 + (months % 12) * 28;
  return amount('y') * 365 + monthDays + amount('d') + Math.floor(amount('h') / 24);
}
