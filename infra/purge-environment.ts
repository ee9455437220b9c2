// The environment of purge beside what every function with a database has. Apart from the function, because local/purge.ts works
// with the same settings without the CDK.
import type { PurgeEnvironment } from '../functions/purge/environment.ts';
import type { DatabaseConfig } from './config.ts';
import { longestBackupDays } from './longest-backup-days.ts';
import { archiveKeptDays, maxSlotBytes } from './purge-config.ts';

/** The variables from the config of the database; `paused` as the stack is. */
export function purgeEnvironment(config: DatabaseConfig, paused: boolean) {
  const settings = config.purge;
  return {
    BATCH_ROWS: settings.batchRows?.toString(),
    TARGET_BATCH_MS: settings.targetBatchMs?.toString(),
    MAX_REPLICA_LAG_SECONDS: settings.maxReplicaLagSeconds?.toString(),
    MAX_SLOT_BYTES: maxSlotBytes(settings)?.toString(),
    ARCHIVE_KEPT_DAYS: archiveKeptDays(settings)?.toString(),
    PITR_DAYS: settings.pitrDays?.toString(),
    BACKUPS_KEPT_DAYS: longestBackupDays(config, paused)?.toString(),
    SIGNING_KEY_ARN: settings.signingKeyArn,
    VERIFIED_WITHIN_HOURS: settings.onlyAfterVerifiedBackupHours?.toString(),
  } satisfies Partial<PurgeEnvironment>;
}
