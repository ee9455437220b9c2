// expire: the only job that may delete from the bucket, and it may put nothing there but its own run record,
// so it can neither replace a backup nor make one look newer.
import type { Construct } from 'constructs';
import type { ExpireEnvironment } from '../functions/expire/environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** Keys of a backup begin with its id, an instant as 20261122T020000Z: run records and claims do not, and stay. */
const BACKUP_ID_PATTERN = '2???????T??????Z*';

/** The expire function with its daily schedule. */
export function expireFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store } = parts;
  const settings = parts.config.expire;
  const schedule = parts.config.schedules.expire;
  const environment: ExpireEnvironment = {
    DATABASE_NAME: parts.config.name,
    BACKUP_BUCKET: store.bucket.bucketName,
    KEEP_LAST: String(settings.keepLast),
  };
  return new ScheduledFunction(scope, 'Expire', {
    job: 'expire',
    parts,
    settings,
    environment,
    usesDatabase: false,
    // Deleting the same versions again changes nothing.
    retriesOfFailedEvent: 2,
    schedules: schedule ? [{ name: 'expire', schedule }] : [],
    statements: [
      store.mayGet('ReadManifestsAndClaims', '*/manifest.json', 'claims/*'),
      store.mayList('FindVersions', ['s3:ListBucket', 's3:ListBucketVersions'], '*'),
      // Versions by id only: a plain delete would hide a backup behind a delete marker and free nothing.
      store.mayUse('DeleteVersions', ['s3:DeleteObjectVersion'], BACKUP_ID_PATTERN),
      store.mayPut('PutRunRecord', 'runs/expire/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
    ],
  });
}
