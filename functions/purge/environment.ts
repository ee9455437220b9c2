// The settings of purge: the contract between infra and this function.
import { backupStoreSettings, databaseSettings, LONGEST_AGE_HOURS } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, optional, text, withFallback } from '../shared/read-environment.ts';

/** What no policy of expire and no life cycle rule exceeds: 10,000 years. */
const MOST_DAYS = 3_652_500;

/** One that works, and one that looks who is in the way of the other's statements. */
export const PURGE_SESSIONS = 2;

/** What is no question of where the database and the bucket are. */
export const carryOutSettings = {
  BATCH_ROWS: withFallback(
    integer({
      summary: 'Rows that one transaction deletes; more hold their locks for longer.',
      example: '5000',
      min: 1,
      max: 100_000,
    }),
    5_000,
  ),
  TARGET_BATCH_MS: withFallback(
    integer({
      summary: 'How long one transaction should hold its locks; the rows of a batch follow from it.',
      example: '100',
      min: 50,
      max: 150,
    }),
    100,
  ),
  MAX_REPLICA_LAG_SECONDS: optional(
    integer({
      summary: 'Purge waits while a replica is further behind than this. Left out: 10, and 1 for a reader of Aurora.',
      example: '10',
      min: 1,
      max: 86_400,
    }),
  ),
  MAX_SLOT_BYTES: optional(
    integer({
      summary: 'Purge waits while a replication slot holds back more WAL than this, in bytes. Left out: 20 GiB.',
      example: '10737418240',
      min: 1,
      max: 100_000_000_000_000,
    }),
  ),
  ARCHIVE_KEPT_DAYS: optional(
    integer({
      summary: 'After so many days the bucket has deleted an archive, every version of it. Left out: it is kept.',
      example: '90',
      min: 1,
      max: MOST_DAYS,
    }),
  ),
  PITR_DAYS: optional(
    integer({
      summary:
        'For so many days the server can be restored to any point in time, with the rows that were purged since. Left out: the certificate says that it is not known.',
      example: '7',
      min: 0,
      max: 3_650,
    }),
  ),
  BACKUPS_KEPT_DAYS: optional(
    integer({
      summary:
        'After so many days expire keeps no backup that still holds a row of today. Left out: the policy does not say, and neither does the certificate.',
      example: '400',
      min: 1,
      max: MOST_DAYS,
    }),
  ),
  SIGNING_KEY_ARN: optional(
    text({
      summary: 'ARN of the asymmetric KMS key that signs certificates. Left out: they are not signed.',
      example: 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555',
      pattern: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/\S+$/,
      allowed: 'the ARN of a KMS key',
    }),
  ),
  VERIFIED_WITHIN_HOURS: optional(
    integer({
      summary:
        'Purge begins only when the newest verified backup is not older than this, in hours. Left out: it does not look for one.',
      example: '24',
      min: 1,
      max: LONGEST_AGE_HOURS,
    }),
  ),
} as const;

export const purgeSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...carryOutSettings,
} as const;

export type PurgeEnvironment = EnvironmentVariables<typeof purgeSettings>;
