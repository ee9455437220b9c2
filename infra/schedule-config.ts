// The schema of `schedules` in nightshift.config.ts. A schedule decides when something is deleted, so none has a default.
import { z } from 'zod';
import { matching, wholeNumber } from './config-fields.ts';

const clockTime = matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time as "02:00", 24 hours');

/**
 * A schedule by days. `everyDays: 3` runs on days 1, 4, 7 … of each month, so the gap at the end of a month is shorter.
 * Up to 6 days: CloudWatch cannot look back further than 7 to see that the job did not run.
 */
const dailySchedule = z.strictObject(
  {
    everyDays: wholeNumber(1, 6, 'days').describe('Runs on days 1, 1 + n, 1 + 2n … of each month.'),
    at: clockTime.describe('Time of day in the time zone of the schedules.'),
    slackHours: wholeNumber(2, 24, 'hours')
      .default(3)
      .describe('How long after its due time a run may end before the NotRunning alarm goes off.'),
    flexibleMinutes: wholeNumber(0, 60, 'minutes')
      .default(10)
      .describe(
        'The run starts at any minute within this window, which spares the service a rush at the full hour; 0 = sharp.',
      ),
  },
  'must be { everyDays, at }',
);

const frequentSchedule = z.strictObject(
  {
    everyMinutes: wholeNumber(1, 60, 'minutes').describe('How often it runs.'),
    slackMinutes: wholeNumber(9, 240, 'minutes')
      .default(14)
      .describe('How long after its due time a run may end before the NotRunning alarm goes off.'),
  },
  'must be { everyMinutes }',
);

function isTimeZone(name: string): boolean {
  try {
    // Intl also takes offsets as "+02:00", which EventBridge Scheduler does not.
    if (/^[+-]/.test(name)) return false;
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** When each job runs; all in one time zone. */
export const schedulesSchema = z.strictObject(
  {
    timeZone: z
      .string('must be an IANA time zone, e.g. "Etc/UTC"')
      .refine(isTimeZone, 'must be an IANA time zone, e.g. "Etc/UTC"')
      .describe('IANA time zone of all schedules.'),
    backup: dailySchedule.describe('When backups are made.'),
    purge: dailySchedule
      .nullable()
      .describe('null = not scheduled; the function is there all the same, to be invoked by hand.'),
    expire: dailySchedule.nullable().describe('When old backups are removed; null = only by hand.'),
    restoreDrill: dailySchedule
      .nullable()
      .describe('When the newest backup is restored and compared; null = only by hand.'),
    report: dailySchedule.describe('When the report is written; after the other jobs.'),
    healthMinute: frequentSchedule.nullable().describe('The quick checks; null = not scheduled.'),
    healthQuarterHour: frequentSchedule.describe('The checks of the quarter-hour tier.'),
    healthDaily: dailySchedule.describe('The checks of the catalog.'),
  },
  'must be the schedules of the jobs',
);

type Schedules = z.output<typeof schedulesSchema>;
export type DailySchedule = Schedules['backup'];
export type FrequentSchedule = Schedules['healthQuarterHour'];
