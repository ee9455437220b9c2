// How old backups, drills and copies may get, and how long a retention policy may wait: what the config says, else what follows from the schedules.
// health, the report, the alarms and `npm run backups` measure against the same numbers.
import type { DatabaseConfig } from './config.ts';
import type { DailySchedule } from './schedule-config.ts';

/** In hours. */
interface AgeLimits {
  backup: number;
  /** Also the limit of the RPO. */
  verified: number;
  /** Undefined: drills are made by hand only, so their age says nothing. */
  drill: number | undefined;
  /** Undefined: there is no replica. */
  replica: number | undefined;
  /** Undefined: purge runs by hand only, so it keeps nobody waiting. */
  purgeLag: number | undefined;
}

/** S3 copies most objects within 15 minutes and large ones within hours (S3 User Guide, Replication Time Control). */
const COPY_HOURS = 6;

/** So one night may fail, and the next one need longer than its time. */
const PURGES_MISSED = 3;

/**
 * The limits of one database.
 *
 * An age is that of the snapshot: just before the next backup is whole, the last one is as old as the interval, the window in
 * which the run starts, and the time that it takes, for which the schedule's slack stands. Reading it back may take as long again.
 */
export function ageLimits({
  alarms,
  schedules,
  replica,
}: Pick<DatabaseConfig, 'alarms' | 'schedules' | 'replica'>): AgeLimits {
  const backup = alarms.backupMaxAgeHours ?? longestAge(schedules.backup);
  const verified = alarms.verifiedMaxAgeHours ?? backup + schedules.backup.slackHours;
  const drill = schedules.restoreDrill ? longestAge(schedules.restoreDrill) : undefined;
  const purgeLag = schedules.purge ? PURGES_MISSED * schedules.purge.everyDays * 24 : undefined;
  return {
    backup,
    verified,
    drill: alarms.drillMaxAgeHours ?? drill,
    replica: replica === undefined ? undefined : (alarms.replicaMaxAgeHours ?? verified + COPY_HOURS),
    purgeLag: alarms.purgeMaxLagHours ?? purgeLag,
  };
}

function longestAge({ everyDays, slackHours, flexibleMinutes }: DailySchedule): number {
  return everyDays * 24 + slackHours + Math.ceil(flexibleMinutes / 60);
}
