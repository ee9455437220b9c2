// From the settings of the function to those of a run. The command by hand uses the same.
import type { SettingValues } from '../shared/read-environment.ts';
import type { purgeSettings } from './environment.ts';
import { pressureLimits } from './pressure/pressure-limits.ts';
import type { PurgeSettings } from './purge-context.ts';

type Given = Pick<
  SettingValues<typeof purgeSettings>,
  | 'BATCH_ROWS'
  | 'TARGET_BATCH_MS'
  | 'STATEMENT_TIMEOUT_MS'
  | 'MAX_REPLICA_LAG_SECONDS'
  | 'MAX_SLOT_BYTES'
  | 'BACKUPS_KEPT_DAYS'
  | 'PITR_DAYS'
  | 'ARCHIVE_KEPT_DAYS'
>;

export function purgeSettingsOf(given: Given): PurgeSettings {
  return {
    batchRows: given.BATCH_ROWS,
    targetBatchMs: given.TARGET_BATCH_MS,
    statementTimeoutMs: given.STATEMENT_TIMEOUT_MS,
    pressure: {
      ...pressureLimits,
      replicaLagSeconds: given.MAX_REPLICA_LAG_SECONDS ?? pressureLimits.replicaLagSeconds,
      auroraLagSeconds: given.MAX_REPLICA_LAG_SECONDS ?? pressureLimits.auroraLagSeconds,
      slotBytes: given.MAX_SLOT_BYTES ?? pressureLimits.slotBytes,
    },
    kept: {
      backupsKeptDays: given.BACKUPS_KEPT_DAYS ?? null,
      pitrDays: given.PITR_DAYS ?? null,
      // Without a rule of the bucket nothing ends an archive.
      archiveKeptDays: given.ARCHIVE_KEPT_DAYS ?? 'for ever',
    },
  };
}
