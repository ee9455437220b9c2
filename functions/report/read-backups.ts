// The newest backups with what a person asks about them: how old, how large, how many rows, and may one rely on it.
import { type BackupSummary, isCounted, newestFirst, summarizeBackup } from '../shared/backup-summary.ts';
import type { DrillRecord } from '../shared/drill-record.ts';
import { newestGoodDrill, readNewestDrills } from '../shared/newest-drills.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { listBackupIds, readStoredBackup, type StoredBackup } from '../shared/stored-backup.ts';

/** More would not be read, and each costs some requests. */
const SHOWN_BACKUPS = 10;
/** As far back as one that counts is looked for, when none of those shown does. */
const MOST_BACKUPS = 30;

export interface Backups {
  /** Newest first. */
  shown: BackupSummary[];
  total: number;
  /** The newest that is verified or drilled: what would be left if the database vanished now. */
  counted: BackupSummary | undefined;
  /** The newest drill that was ok, also of a backup that is not shown. */
  drill: Pick<DrillRecord, 'backupId' | 'finishedAt' | 'rtoSeconds'> | undefined;
  /** Why the last drill could not be read; undefined when it could. */
  drillProblem: string | undefined;
}

/** The backups; what cannot be read is shown as such. Throws when S3 does not answer. */
export async function readBackups(store: ObjectStore, database: string): Promise<Backups> {
  const ids = await listBackupIds(store, database);
  const seen: StoredBackup[] = [];
  let looked = 0;
  for (const id of ids.slice(0, MOST_BACKUPS)) {
    if (seen.length >= SHOWN_BACKUPS && seen.some(isCounted)) break;
    looked += 1;
    const backup = await readStoredBackup(store, database, id);
    if (backup !== undefined) seen.push(backup);
  }
  const newest = await readNewestDrills(store, database);
  const beside = seen.flatMap((backup) => (backup.state === 'unreadable' ? [] : backup.evidence.drills));
  const summaries = newestFirst(seen.map(summarizeBackup));
  return {
    shown: summaries.slice(0, SHOWN_BACKUPS),
    total: ids.length - (looked - seen.length),
    counted: summaries.find(isCounted),
    drill: newestGoodDrill([...newest.drills, ...beside]),
    drillProblem: newest.problem,
  };
}
