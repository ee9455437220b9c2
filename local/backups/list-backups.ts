// Reads all backups of a database, and what they make of the RPO. Nothing is left out: what cannot be read is in the list too.
import { type BackupSummary, isCounted, newestFirst, summarizeBackup } from '../../functions/shared/backup-summary.ts';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { listBackupIds, readStoredBackup } from '../../functions/shared/stored-backup.ts';

const READS_AT_ONCE = 8;

export interface ListedBackup extends BackupSummary {
  ageHours: number | null;
  /** From the snapshot until the manifest. */
  tookSeconds: number | null;
}

export interface BackupList {
  bucket: string;
  database: string;
  lookedAt: string;
  /** Newest first. */
  backups: ListedBackup[];
  rpo: {
    /** The newest backup that counts; null when none does: everything would be lost. */
    backupId: string | null;
    ageHours: number | null;
    limitHours: number | null;
    /** What is left until the limit; negative when it is passed. */
    gapHours: number | null;
    /** Null when no limit is known. */
    isMet: boolean | null;
  };
}

/** Throws when S3 does not answer. */
export async function listBackups(
  store: ObjectStore,
  { database, limitHours, now }: { database: string; limitHours: number | undefined; now: Date },
): Promise<BackupList> {
  const ids = await listBackupIds(store, database);
  const read = await inParallel(READS_AT_ONCE, ids, async (id) => await readStoredBackup(store, database, id));
  const hoursSince = (instant: string) => (now.getTime() - Date.parse(instant)) / 3_600_000;
  const summaries = newestFirst(read.filter((backup) => backup !== undefined).map(summarizeBackup));
  const counted = summaries.find(isCounted);
  const ageHours = counted?.takenAt ? hoursSince(counted.takenAt) : null;
  const limit = limitHours ?? null;
  return {
    bucket: store.bucket,
    database,
    lookedAt: now.toISOString(),
    backups: summaries.map((summary) => ({
      ...summary,
      ageHours: summary.takenAt === null ? null : hoursSince(summary.takenAt),
      tookSeconds:
        summary.takenAt === null || summary.finishedAt === null
          ? null
          : (Date.parse(summary.finishedAt) - Date.parse(summary.takenAt)) / 1_000,
    })),
    rpo: {
      backupId: counted?.backupId ?? null,
      ageHours,
      limitHours: limit,
      gapHours: ageHours === null || limit === null ? null : limit - ageHours,
      // Without any backup no limit is met, known or not.
      isMet: ageHours === null ? false : limit === null ? null : ageHours <= limit,
    },
  };
}
