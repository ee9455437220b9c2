// backup: puts archives, claims and manifests; its role can read no archive back and delete nothing.
// The workflow starts it, for the whole backup or for one step of it.
import type { Construct } from 'constructs';
import type { BackupEnvironment } from '../functions/backup/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** Sessions of the pool beside its workers: the snapshot and the one that controls it; pg_dump has its own. */
const POOL_BESIDE_WORKERS = 2;

/** The backup function; backup-workflow.ts gives it its schedule. */
export function backupFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access } = parts;
  const settings = parts.config.backup;
  const list = (patterns: readonly string[] | undefined) => patterns && JSON.stringify(patterns);
  const environment: BackupEnvironment = {
    ...databaseEnvironment(parts, 'backup', { ...settings, maxConnections: settings.workers + POOL_BESIDE_WORKERS }),
    CODEC: settings.codec,
    WORKERS: String(settings.workers),
    PARTS_IN_FLIGHT: settings.partsInFlight?.toString(),
    INLINE_LIMIT_GIB: settings.inlineLimitGiB?.toString(),
    COPY_STEPS: String(settings.copySteps),
    SNAPSHOT_HOLDER: settings.snapshotHolder,
    SNAPSHOT_LIFE_SECONDS: String(settings.snapshotLifeSeconds),
    RELAY_SHIFT_SECONDS: String(settings.relayShiftSeconds),
    INCLUDE_SCHEMAS: list(settings.includeSchemas),
    EXCLUDE_SCHEMAS: list(settings.excludeSchemas),
    INCLUDE_TABLES: list(settings.includeTables),
    EXCLUDE_TABLES: list(settings.excludeTables),
    EXCLUDE_TABLE_DATA: list(settings.excludeTableData),
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
    startedBy: 'workflow',
    statements: [
      store.mayPut(
        'PutBackup',
        '*/archive/*',
        '*/globals.sql',
        '*/inventory.json',
        '*/plan.json',
        '*/work/*',
        '*/manifest.json',
        'claims/*',
        'runs/backup/*',
      ),
      store.mayGet('ReadClaimsPlansAndManifests', 'claims/*', '*/manifest.json', '*/plan.json', '*/work/*'),
      store.mayUse('AbortUploads', ['s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], '*/archive/*'),
      store.mayList('FindClaimsAndUploads', ['s3:ListBucket', 's3:ListBucketMultipartUploads'], '*'),
      // Both: S3 decrypts the parts of a multipart upload to join them.
      store.mayUseKey('kms:GenerateDataKey', 'kms:Decrypt'),
      ...access.mayRead('backup'),
    ],
  });
}
