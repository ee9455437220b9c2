// expire: the only job that may delete from the bucket, and it may put nothing there but its own run record,
// so it can neither replace a backup nor make one look newer.
import type { Construct } from 'constructs';
import { expireEnvironment } from './expire-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** Keys of a backup begin with its id, an instant as 20261122T020000Z: run records and claims do not, and stay. */
const BACKUP_ID_PATTERN = '2???????T??????Z*';

/** The expire function with its daily schedule. */
export function expireFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, config } = parts;
  const schedule = config.schedules.expire;
  return new ScheduledFunction(scope, 'Expire', {
    job: 'expire',
    parts,
    settings: config.expire,
    environment: expireEnvironment(config, store.bucket.bucketName),
    usesDatabase: false,
    // Deleting the same versions again changes nothing.
    retriesOfFailedEvent: 2,
    schedules: schedule ? [{ name: 'expire', schedule }] : [],
    statements: [
      store.mayGet(
        'ReadWhatThePlanIsMadeOf',
        '*/manifest.json',
        '*/verified/*',
        '*/drilled/*',
        'claims/*',
        'runs/expire/*',
      ),
      store.mayList(
        'FindVersionsAndUploads',
        ['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads'],
        '*',
      ),
      // Versions by id only: a plain delete would hide a backup behind a delete marker and free nothing. No bypass of
      // governance: what object lock keeps, this role keeps.
      store.mayUse('DeleteVersions', ['s3:DeleteObjectVersion', 's3:GetObjectRetention'], BACKUP_ID_PATTERN),
      store.mayUse('AbortUploads', ['s3:AbortMultipartUpload'], `${BACKUP_ID_PATTERN}/archive/*`),
      store.mayPut('PutRunRecord', 'runs/expire/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
    ],
  });
}
