// The alarms on what purge leaves undone, by the figures that health reads from schema nightshift. No datapoint is an alarm:
// nobody looked. Without a policy both figures are 0.
import { Duration } from 'aws-cdk-lib';
import { Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { ageLimits } from './age-limits.ts';
import { alarmWindow, silenceMinutes } from './schedule-window.ts';
import { METRIC_NAMESPACE } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** A purge that is at work takes rows away between two of them. */
const BACKLOG_PERIODS = 3;

/** CloudWatch takes any whole number of minutes; whole five minutes are easier to read. */
const PERIOD_STEP_MINUTES = 5;

/** The alarms of one database. */
export function purgeAlarms(scope: Construct, parts: StackParts): void {
  const construct = new Construct(scope, 'PurgeAlarms');
  const { name, alarms, schedules } = parts.config;
  const silence = silenceMinutes(schedules.healthQuarterHour);
  const metric = (metricName: string, period: Duration) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { Database: name, Job: 'health' },
      period,
      statistic: Stats.MAXIMUM,
    });
  const hours = ageLimits(parts.config).purgeLag;
  if (hours !== undefined) {
    const { period, evaluationPeriods } = alarmWindow(silence);
    parts.alarms.add(construct, 'purge-lag', {
      name: 'purge-lag',
      description: `A retention policy of ${name} waits for a finished purge for more than ${hours} hours, or it could not be read.`,
      metric: metric('PurgeLagSeconds', period),
      evaluationPeriods,
      when: { above: hours * 3_600 },
      missingData: TreatMissingData.BREACHING,
      actionsEnabled: !parts.paused,
    });
  }
  parts.alarms.add(construct, 'purge-backlog', {
    name: 'purge-backlog',
    description: `The last purges of ${name} have left more than ${alarms.purgeMaxBacklogRows} rows past retention that no legal hold keeps, or they could not be read.`,
    // As long as health may be silent, so that each period has a datapoint.
    metric: metric(
      'PurgeBacklogRows',
      Duration.minutes(Math.ceil(silence / PERIOD_STEP_MINUTES) * PERIOD_STEP_MINUTES),
    ),
    evaluationPeriods: BACKLOG_PERIODS,
    when: { above: alarms.purgeMaxBacklogRows },
    missingData: TreatMissingData.BREACHING,
    actionsEnabled: !parts.paused,
  });
}
