// How long a job may be silent: the time between two runs plus slack, and the CloudWatch alarm that watches it.
import { Duration } from 'aws-cdk-lib';
import type { DailySchedule, FrequentSchedule } from './schedule-config.ts';

const DAY_MINUTES = 24 * 60;

/** Whether a schedule is one by days. */
export function isDaily(schedule: DailySchedule | FrequentSchedule): schedule is DailySchedule {
  return 'everyDays' in schedule;
}

/** The longest time, in minutes, that passes between the ends of two good runs. */
export function silenceMinutes(schedule: DailySchedule | FrequentSchedule): number {
  return isDaily(schedule)
    ? schedule.everyDays * DAY_MINUTES + schedule.slackHours * 60
    : schedule.everyMinutes + schedule.slackMinutes;
}

/**
 * Period and number of periods of an alarm that looks back over a silence.
 *
 * CloudWatch allows period × number up to 1 day for periods below an hour, and up to 7 days from an hour on.
 */
export function alarmWindow(minutes: number): { period: Duration; evaluationPeriods: number } {
  const periodMinutes = minutes <= DAY_MINUTES ? 5 : 60;
  const evaluationPeriods = Math.ceil(minutes / periodMinutes);
  if (periodMinutes * evaluationPeriods > 7 * DAY_MINUTES)
    throw new Error(`a silence of ${minutes} minutes is longer than the 7 days an alarm can look back`);
  return { period: Duration.minutes(periodMinutes), evaluationPeriods };
}
