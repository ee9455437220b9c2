// How long a row that is purged today may still be in a backup: the seam between the policy of expire and the certificate of purge.
import type { DatabaseConfig } from './config.ts';

/**
 * Days after which expire keeps no backup that was made today, as long as backups and expire run by their schedules; undefined
 * where that is not known.
 *
 * Known only when `within` is the one rule: one that counts backups keeps a single one for as long as no newer one comes into
 * its place. Copies in a replica end by the life cycle of another bucket.
 */
export function backupsKeptDays({
  expire,
  schedules,
  replica,
}: Pick<DatabaseConfig, 'expire' | 'schedules' | 'replica'>): number | undefined {
  const { within, ...counting } = expire.keep;
  const isCounted = Object.values(counting).some((rule) => rule !== undefined);
  if (within === undefined || isCounted || schedules.expire === null || replica !== undefined) return undefined;
  const { everyDays } = schedules.backup;
  // The age is measured against the newest backup, and the next run of expire deletes.
  const behind = everyDays + schedules.expire.everyDays;
  return Math.max(mostDaysOf(within), expire.keepAtLeast * everyDays, expire.keepUnverifiedDays) + behind;
}

/** Whole days that a duration lasts at the most: a year may have 366 and a month 31. */
function mostDaysOf(within: string): number {
  const amount = (unit: string) => Number(new RegExp(`(\\d+)${unit}`).exec(within)?.[1] ?? 0);
  return amount('y') * 366 + amount('m') * 31 + amount('d') + Math.ceil(amount('h') / 24);
}
