// backup: puts archives, claims and manifests; its role can read no archive back and delete nothing.
import type { Construct } from 'constructs';
import type { BackupEnvironment } from '../functions/backup/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The backup function with its nightly schedule. */
export function backupFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access } = parts;
  const settings = parts.config.backup;
  const environment: BackupEnvironment = {
    ...databaseEnvironment(parts, 'backup', settings),
    PARTS_IN_FLIGHT: settings.partsInFlight?.toString(),
  };
  return new ScheduledFunction(scope, 'Backup', {
    job: 'backup',
    parts,
    settings,
    environment,
    usesDatabase: true,
    layer: parts.clientLayer,
    // A retry of Lambda would start the next attempt at once, into the same trouble; that is a decision, not a reflex.
    retriesOfFailedEvent: 0,
    schedules: [{ name: 'backup', schedule: parts.config.schedules.backup }],
    statements: [
      store.mayPut('PutBackup', '*/archive*', '*/globals.sql', '*/manifest.json', 'claims/*', 'runs/backup/*'),
      store.mayGet('ReadClaimsAndManifests', 'claims/*', '*/manifest.json'),
      store.mayUse('AbortUploads', ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], '*/archive*'),
      store.mayList('FindClaimsAndUploads', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], '*'),
      // Both: S3 decrypts the parts of a multipart upload to join them.
      store.mayUseKey('kms:GenerateDataKey', 'kms:Decrypt'),
      ...access.mayRead('backup'),
    ],
  });
}
