// Lets a purge begin only when what it will delete is in a backup that was read back.
import type { Clock } from '../../shared/clock.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { LATEST_SNAPSHOT_MS, listBackupIds, readStoredBackup, scheduledMs } from '../../shared/stored-backup.ts';

const HOUR_MS = 3_600_000;

/** Throws `purge.refused` when no verified backup has a snapshot of the last `hours`. */
export async function requireVerifiedBackup(
  store: ObjectStore,
  clock: Pick<Clock, 'now'>,
  database: string,
  hours: number,
): Promise<void> {
  const notBefore = clock.now().getTime() - hours * HOUR_MS;
  for (const backupId of await listBackupIds(store, database)) {
    if (scheduledMs(backupId) + LATEST_SNAPSHOT_MS < notBefore) break;
    const backup = await readStoredBackup(store, database, backupId);
    if (backup?.state !== 'verified' && backup?.state !== 'drilled') continue;
    if (Date.parse(backup.manifest.takenAt) >= notBefore) return;
  }
  throw new JobFailure({
    code: 'purge.refused',
    problem: `there is no verified backup of the last ${hours} hours, and purge is set to delete only after one`,
    safeState: 'Nothing was deleted',
    hint: 'look at the last runs of backup and verify; npm run backups lists what there is',
  });
}
