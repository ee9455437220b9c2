// The longest that a backup can be there under the settings of a database: for the certificates of purge, which say until when
// backups still hold the rows that were removed. Called at synth. Every doubt makes it longer; what cannot be told is null.
import { expireSettings } from '../functions/expire/environment.ts';
import type { DatabaseConfig } from './config.ts';
import { keepPolicyText } from './expiry-config.ts';

/**
 * Runs in a row of backup, verify or expire that fail until somebody has mended it; an alarm tells of each. The rules that count
 * backups, hours or days reach further back by it, and a backup lies longer.
 */
const FAILED_RUNS = 7;

type Settings = Pick<DatabaseConfig, 'expire' | 'backupStore' | 'replica'> & {
  schedules: Pick<DatabaseConfig['schedules'], 'backup' | 'expire'>;
};

/**
 * Whole days from the snapshot of a backup until it is surely deleted, or null when this stack does not know.
 *
 * Holds as long as backups go on being made and verified as scheduled: all rules count from the newest one, so when no newer
 * one comes, the old ones stay without an end. Null when expire runs only by hand or is paused, and when there is a replica,
 * whose lifecycle is not of this stack.
 */
export function longestBackupDays(settings: Settings, paused: boolean): number | null {
  const { expire, schedules, backupStore, replica } = settings;
  const policy = expireSettings.KEEP_POLICY.parse(keepPolicyText(expire.keep));
  if (policy === undefined || schedules.expire === null || replica !== undefined || paused) return null;
  const { everyDays } = schedules.backup;
  const { years = 0, months = 0, days = 0, hours = 0 } = policy.within ?? {};
  const kept = [
    // Between two backups, hours or days that have one lie so many days: 24 hours that have one are 24 days.
    ...[policy.last, policy.hourly, policy.daily, expire.keepAtLeast].map((count) => (count ?? 0) * everyDays),
    // A week, month or year always has one: a schedule leaves out five days at the most.
    (policy.weekly ?? 0) * 7,
    daysOfMonths(policy.monthly ?? 0),
    daysOfYears(policy.yearly ?? 0),
    daysOfYears(years) + daysOfMonths(months) + days + Math.ceil(hours / 24),
    expire.keepUnverifiedDays,
    backupStore.objectLock?.days ?? 0,
  ];
  // Until the newer backup is there that pushes it out, and until expire comes by.
  const late = everyDays + schedules.expire.everyDays;
  return Math.max(...kept) + late + FAILED_RUNS * Math.max(everyDays, schedules.expire.everyDays);
}

/** The most days that so many years in a row can have: every fourth may be a leap year, the first of them too. */
function daysOfYears(years: number): number {
  return years * 365 + Math.ceil(years / 4);
}

/** The most days that so many months in a row can have. */
function daysOfMonths(months: number): number {
  return daysOfYears(Math.floor(months / 12)) + (months % 12) * 31;
}
