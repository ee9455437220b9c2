// Settings that several jobs share: where the database, its secret and the backup bucket are.
import { choice, integer, optional, text, withFallback } from './read-environment.ts';

export const databaseSettings = {
  DATABASE_NAME: text({
    summary:
      'Name of this database in Nightshift: the first part of every S3 key and the Database dimension of every metric.',
    example: 'orders',
    pattern: /^[a-z][a-z0-9-]{0,39}$/,
    allowed: '1 to 40 lower-case letters, digits and "-", starting with a letter',
  }),
  DATABASE_SECRET_ARN: text({
    summary: "ARN of the Secrets Manager secret with this job's own database role, in the RDS JSON form.",
    example: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:nightshift/orders/backup-AbCdEf',
  }),
  DATABASE_CA_FILE: withFallback(
    text({
      summary: 'File with the certificate authorities that may sign the server certificate (TLS is verify-full).',
      example: '/var/runtime/ca-cert.pem',
    }),
    '/var/runtime/ca-cert.pem',
  ),
  UNSAFE_DATABASE_TLS: optional(
    choice({
      summary:
        'Lowers TLS: "disable" sends everything in clear text, "no-verify" encrypts without proving the server. Leave it out for verify-full.',
      example: 'disable',
      of: ['disable', 'no-verify'],
    }),
  ),
  LOCK_TIMEOUT_MS: withFallback(
    integer({ summary: 'How long a statement waits for a lock.', example: '5000', min: 100, max: 300_000 }),
    5_000,
  ),
  STATEMENT_TIMEOUT_MS: withFallback(
    integer({ summary: 'How long a statement may run.', example: '60000', min: 100, max: 86_400_000 }),
    60_000,
  ),
  MAX_CONNECTIONS: withFallback(
    integer({ summary: 'Most connections that one run of this job opens at a time.', example: '4', min: 1, max: 50 }),
    4,
  ),
} as const;

export const backupStoreSettings = {
  BACKUP_BUCKET: text({ summary: 'S3 bucket of the backups.', example: 'nightshift-orders-backups' }),
} as const;

/** 90 days. */
export const LONGEST_AGE_HOURS = 2_160;

/** The limits of the ages that health watches and the report shows. */
export const ageLimitSettings = {
  VERIFIED_MAX_AGE_HOURS: integer({
    summary:
      'How old the snapshot of the newest verified backup may be, in hours: the limit of the RPO, what would be lost with the database.',
    example: '31',
    min: 1,
    max: LONGEST_AGE_HOURS,
  }),
  DRILL_MAX_AGE_HOURS: optional(
    integer({
      summary: 'How long ago the last restore drill that was ok may be, in hours. Left out: drills are not watched.',
      example: '76',
      min: 1,
      max: LONGEST_AGE_HOURS,
    }),
  ),
} as const;

export const clientToolsSettings = {
  POSTGRES_CLIENT_DIRECTORIES: withFallback(
    text({
      summary:
        'Directories, parted by ":", that hold pg_dump and pg_restore as bin/, <major>/bin/ or pg<major>/bin/. In Lambda: where the layer is mounted.',
      example: '/opt:/usr/lib/postgresql',
    }),
    '/opt',
  ),
} as const;
