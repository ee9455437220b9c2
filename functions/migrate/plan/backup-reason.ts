// Whether there is a restore point: the age of the newest backup that was verified.
import { countsAsBackup } from '../../shared/backup-state.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { listBackupIds, readStoredBackup } from '../../shared/stored-backup.ts';
import type { PlanReason } from './contract.ts';

/** A nightly backup with its verification, and two hours. */
export const MOST_BACKUP_HOURS = 26;
/** Newer ones than the newest verified; more than that are a matter for the alarms of the ages. */
const MOST_READ = 10;

/** The reason, or undefined when a verified backup is young enough. `store` is undefined where no bucket is known. */
export async function backupReason(
  store: ObjectStore | undefined,
  database: string,
  now: Date,
): Promise<PlanReason | undefined> {
  const approve = (problem: string): PlanReason => ({
    level: 'approve',
    about: 'backup',
    problem,
    hint: 'make and verify a backup first, or note the time for a point-in-time restore',
  });
  if (store === undefined) return approve('no bucket was named, so it is not known whether there is a verified backup');
  try {
    for (const backupId of (await listBackupIds(store, database)).slice(0, MOST_READ)) {
      const backup = await readStoredBackup(store, database, backupId);
      if (backup === undefined || backup.state === 'unreadable' || !countsAsBackup(backup.state)) continue;
      const hours = (now.getTime() - Date.parse(backup.manifest.takenAt)) / 3_600_000;
      if (hours <= MOST_BACKUP_HOURS) return undefined;
      return approve(
        `the newest verified backup ${backupId} is ${Math.round(hours)} h old; more than ${MOST_BACKUP_HOURS} h is too much`,
      );
    }
    return approve(`none of the newest ${MOST_READ} backups of "${database}" is verified`);
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    return approve(`the backups could not be looked at: ${describeError(error)}`);
  }
}
