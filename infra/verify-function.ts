// verify: reads a whole backup back and leaves the evidence; it can put no part of a backup and never sees the database.
// The workflow starts it after each backup, for the whole verification or for one step of it.
import type { Construct } from 'constructs';
import type { VerifyEnvironment } from '../functions/verify/environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The verify function; its silence is measured by the schedule of the backup. */
export function verifyFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store } = parts;
  const settings = parts.config.verify;
  const environment: VerifyEnvironment = {
    DATABASE_NAME: parts.config.name,
    BACKUP_BUCKET: store.bucket.bucketName,
    VERIFY_READERS: settings.readers?.toString(),
    VERIFY_STEPS: settings.steps?.toString(),
    VERIFY_INLINE_LIMIT_GIB: settings.inlineLimitGiB?.toString(),
    VERIFY_SAMPLES: settings.samples?.toString(),
  };
  return new ScheduledFunction(scope, 'Verify', {
    job: 'verify',
    parts,
    settings,
    environment,
    usesDatabase: false,
    layer: parts.clientLayer,
    // The workflow tries again what is worth it.
    retriesOfFailedEvent: 0,
    schedules: [{ name: 'backup', schedule: parts.config.schedules.backup }],
    startedBy: 'workflow',
    statements: [
      store.mayGet(
        'ReadBackups',
        '*/archive/*',
        '*/globals.sql',
        '*/inventory.json',
        '*/manifest.json',
        '*/verified/*',
      ),
      store.mayList('FindBackups', ['s3:ListBucket'], '*'),
      store.mayPut('PutEvidence', '*/verified/*', 'runs/verify/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
    ],
  });
}
