// The alarms on the ages that health reads from the bucket and from schema nightshift, and on a restore drill that was not ok.
// No datapoint of an age is an alarm: nobody looked, or there was nothing to find.
import { Duration } from 'aws-cdk-lib';
import { Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { ageLimits } from './age-limits.ts';
import { alarmWindow, silenceMinutes } from './schedule-window.ts';
import { METRIC_NAMESPACE } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

interface AgeAlarm {
  /** In kebab case, as Alarms.add takes it. */
  name: string;
  metricName: string;
  /** In hours; undefined: not watched. */
  limit: number | undefined;
  /** What is too old; the limit follows it. */
  words: string;
}

/** The alarms of one database. `DrillFailed` is emitted by the restore drill, everything else by health. */
export function ageAlarms(scope: Construct, parts: StackParts): void {
  const { name } = parts.config;
  const limits = ageLimits(parts.config);
  const alarms: AgeAlarm[] = [
    {
      name: 'backup-too-old',
      metricName: 'BackupAgeHours',
      limit: limits.backup,
      words: `The newest backup of ${name} that is not broken is older than`,
    },
    {
      name: 'rpo-not-met',
      // VerifiedAgeHours is the same number: a second alarm on it would tell nothing else.
      metricName: 'RpoHours',
      limit: limits.verified,
      words: `The newest verified backup of ${name}, which is all that may be relied on, is older than`,
    },
    {
      name: 'drill-too-old',
      metricName: 'DrillAgeHours',
      limit: limits.drill,
      words: `The last restore drill of ${name} that was ok is longer ago than`,
    },
    {
      name: 'replica-copy-too-old',
      metricName: 'ReplicaCopyAgeHours',
      limit: limits.replica,
      words: `The newest verified backup of ${name} that is copied whole to the replica is older than`,
    },
    {
      name: 'migration-half-done',
      metricName: 'MigrationHalfDoneHours',
      limit: parts.config.alarms.halfDoneMaxAgeHours,
      words: `A migration file of ${name} is half done for more than`,
    },
  ];
  const construct = new Construct(scope, 'AgeAlarms');
  for (const alarm of alarms) watchAge(construct, parts, alarm);
  watchDrills(construct, parts);
}

function watchAge(scope: Construct, parts: StackParts, { name, metricName, limit, words }: AgeAlarm): void {
  if (limit === undefined) return;
  // As long as health may be silent: one good datapoint in it keeps the alarm quiet.
  const { period, evaluationPeriods } = alarmWindow(silenceMinutes(parts.config.schedules.healthQuarterHour));
  parts.alarms.add(scope, name, {
    name,
    description: `${words} ${limit} hours, or its age could not be read.`,
    metric: new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { Database: parts.config.name, Job: 'health' },
      period,
      statistic: Stats.MAXIMUM,
    }),
    evaluationPeriods,
    when: { above: limit },
    missingData: TreatMissingData.BREACHING,
    actionsEnabled: !parts.paused,
  });
}

/** Beside the Failures alarm of the job, which is over some minutes later: this one stays until a drill is ok again. */
function watchDrills(scope: Construct, parts: StackParts): void {
  parts.alarms.add(scope, 'drill-failed', {
    name: 'drill-failed',
    description: `The last restore drill of ${parts.config.name} was not ok: a backup did not restore, or to something else.`,
    metric: new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: 'DrillFailed',
      dimensionsMap: { Database: parts.config.name, Job: 'restore-drill' },
      period: Duration.minutes(5),
      statistic: Stats.MAXIMUM,
    }),
    evaluationPeriods: 1,
    when: 'at least 1',
    missingData: TreatMissingData.IGNORE,
  });
}
