// Every metric that Nightshift emits, in one list: CloudWatch bills per name and dimension, so at most 30 names.
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

export const METRIC_NAMESPACE = 'Nightshift';

/** Name, unit and meaning; the dimensions are always Database and Job. */
export const metrics = {
  JobFinished: { unit: 'Count', about: '1 for each run that ended well' },
  JobDurationSeconds: { unit: 'Seconds', about: 'how long a run took' },
  BackupBytes: { unit: 'Bytes', about: 'size of the archive' },
  BackupRows: { unit: 'Count', about: 'rows in the archive' },
  DrillDurationSeconds: { unit: 'Seconds', about: 'how long the restore drill took, with compare and clean-up' },
  DrillFailed: { unit: 'Count', about: '1 for a restore drill that ended not ok, 0 for one that did' },
  RtoSeconds: { unit: 'Seconds', about: 'how long the restore itself took' },
  BackupAgeHours: { unit: 'None', about: 'hours since the snapshot of the newest backup that is not broken' },
  VerifiedAgeHours: { unit: 'None', about: 'hours since the snapshot of the newest verified or drilled backup' },
  DrillAgeHours: { unit: 'None', about: 'hours since the end of the newest restore drill that was ok' },
  RpoHours: { unit: 'None', about: 'hours of changes that would be lost if the database vanished now' },
  ReplicaCopyAgeHours: { unit: 'None', about: 'hours since the snapshot of the newest counted backup that is copied' },
  BackupsExpired: { unit: 'Count', about: 'backups removed by the expiry policy' },
  PurgedRows: {
    unit: 'Count',
    about: 'rows that a run of purge deleted or anonymised, those of other tables included',
  },
  PurgeBatchMs: { unit: 'Milliseconds', about: 'how long the slowest batch of a run of purge held its locks' },
  PurgeBacklogRows: { unit: 'Count', about: 'rows past retention that the last runs have left, held ones not counted' },
  PurgeLagSeconds: {
    unit: 'Seconds',
    about: 'how long ago the policy began that has waited longest for a finished purge',
  },
  MigrationsPending: { unit: 'Count', about: 'migration files that are not applied' },
  MigrationHalfDoneHours: { unit: 'None', about: 'hours since a migration file was left half done; 0 when none is' },
  HealthCritical: { unit: 'Count', about: 'checks with status critical' },
  HealthWarning: { unit: 'Count', about: 'checks with status warning' },
  HealthUnknown: { unit: 'Count', about: 'checks that could not look' },
} as const;

export type MetricName = keyof typeof metrics;

export interface Metrics {
  put(name: MetricName, value: number): void;
  /** Writes what was put since the last flush as one EMF line. */
  flush(): void;
}

/** Metrics in CloudWatch's embedded metric format, written to standard output by Powertools. */
export function createMetrics(context: { job: string; database: string }): Metrics {
  const emitter = new PowertoolsMetrics({ namespace: METRIC_NAMESPACE, serviceName: 'nightshift' });
  // Powertools adds a `service` dimension of its own; an alarm on (Database, Job) would then never see a datapoint.
  emitter.clearDefaultDimensions();
  emitter.setDefaultDimensions({ Database: context.database, Job: context.job });
  return {
    put: (name, value) => emitter.addMetric(name, metrics[name].unit, value),
    flush: () => {
      if (emitter.hasStoredMetrics()) emitter.publishStoredMetrics();
    },
  };
}
