// report: reads what the other jobs left in the bucket and says what it did not see.
import type { Construct } from 'constructs';
import type { ReportEnvironment } from '../functions/report/environment.ts';
import { ageLimits } from './age-limits.ts';
import type { DatabaseConfig } from './config.ts';
import { silenceMinutes } from './schedule-window.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** `backup=27,health=1,…`: every scheduled job with the hours within which it must have finished. */
export function expectedJobs(schedules: DatabaseConfig['schedules']): string {
  const expected = {
    backup: schedules.backup,
    // It ends the workflow of every backup.
    verify: schedules.backup,
    purge: schedules.purge,
    expire: schedules.expire,
    'restore-drill': schedules.restoreDrill,
    // Of health the quarter-hour tier: the runs of the minute tier leave no record.
    health: schedules.healthQuarterHour,
  };
  return Object.entries(expected)
    .flatMap(([job, schedule]) => (schedule ? [`${job}=${Math.ceil(silenceMinutes(schedule) / 60)}`] : []))
    .join(',');
}

/** The report function with its daily schedule. */
export function reportFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, config } = parts;
  const limits = ageLimits(config);
  const environment: ReportEnvironment = {
    DATABASE_NAME: config.name,
    BACKUP_BUCKET: store.bucket.bucketName,
    EXPECTED_JOBS: expectedJobs(config.schedules),
    VERIFIED_MAX_AGE_HOURS: String(limits.verified),
    DRILL_MAX_AGE_HOURS: limits.drill?.toString(),
  };
  return new ScheduledFunction(scope, 'Report', {
    job: 'report',
    parts,
    settings: config.report,
    environment,
    usesDatabase: false,
    retriesOfFailedEvent: 2,
    schedules: [{ name: 'report', schedule: config.schedules.report }],
    statements: [
      store.mayGet('ReadRecordsAndEvidence', 'runs/*', '*/manifest.json', '*/verified/*', '*/drilled/*'),
      store.mayList('FindRecordsAndBackups', ['s3:ListBucket'], '*'),
      store.mayPut('PutReport', 'reports/*', 'runs/report/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
    ],
  });
}
