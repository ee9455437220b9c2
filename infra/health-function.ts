// health: three tiers, one schedule each; keeps its samples below its own prefix. An alarm tells of critical checks,
// because a run that finds something critical ends well.
import { Duration } from 'aws-cdk-lib';
import { Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { HealthEnvironment } from '../functions/health/environment.ts';
import { ageLimits } from './age-limits.ts';
import { ONE_SESSION } from './connection-budget.ts';
import { databaseEnvironment } from './database-environment.ts';
import type { JobSchedule } from './job-schedules.ts';
import { METRIC_NAMESPACE, ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The health function with the schedules of its tiers and the HealthCritical alarm. */
export function healthFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access, config } = parts;
  const settings = config.health;
  const { healthMinute, healthQuarterHour, healthDaily } = config.schedules;
  const limits = ageLimits(config);
  const environment: HealthEnvironment = {
    ...databaseEnvironment(parts, 'health', { ...settings, maxConnections: ONE_SESSION }),
    BACKUP_MAX_AGE_HOURS: String(limits.backup),
    VERIFIED_MAX_AGE_HOURS: String(limits.verified),
    DRILL_MAX_AGE_HOURS: limits.drill?.toString(),
    REPLICA_MAX_AGE_HOURS: limits.replica?.toString(),
    HALF_DONE_MAX_AGE_HOURS: String(config.alarms.halfDoneMaxAgeHours),
    PURGE_MAX_LAG_HOURS: limits.purgeLag?.toString(),
    PURGE_MAX_BACKLOG_ROWS: String(config.alarms.purgeMaxBacklogRows),
  };
  const schedules: JobSchedule[] = [
    { name: 'health-quarter-hour', schedule: healthQuarterHour, input: { tier: 'quarter-hour' } },
    { name: 'health-daily', schedule: healthDaily, input: { tier: 'daily' } },
  ];
  if (healthMinute) schedules.push({ name: 'health-minute', schedule: healthMinute, input: { tier: 'minute' } });

  const health = new ScheduledFunction(scope, 'Health', {
    job: 'health',
    parts,
    settings,
    environment,
    usesDatabase: true,
    retriesOfFailedEvent: 2,
    schedules,
    statements: [
      store.mayPut('PutSamplesAndRunRecord', 'health/*', 'runs/health/*'),
      store.mayGet('ReadSamples', 'health/*'),
      // The ages of the backups: manifests and evidence, and which backup the last drill was of; no rows.
      store.mayGet('ReadEvidence', '*/manifest.json', '*/verified/*', '*/drilled/*', 'runs/restore-drill/*'),
      // S3 tells the replication status only to whoever may read the object.
      ...(config.replica ? [store.mayGet('AskWhetherCopied', '*/archive/*', '*/globals.sql')] : []),
      store.mayList('FindBackups', ['s3:ListBucket'], '*'),
      store.mayUseKey('kms:GenerateDataKey', 'kms:Decrypt'),
      ...access.mayRead('health'),
    ],
  });
  parts.alarms.add(health, 'Critical', {
    name: 'health-critical',
    description: `At least one health check of ${config.name} is critical; the run record of health names it.`,
    metric: new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: 'HealthCritical',
      dimensionsMap: { Database: config.name, Job: 'health' },
      period: Duration.minutes(5),
      statistic: Stats.MAXIMUM,
    }),
    evaluationPeriods: 1,
    when: 'at least 1',
    // Silence is the business of NotRunning; here it leaves the alarm as it was.
    missingData: TreatMissingData.IGNORE,
  });
  return health;
}
