// Chooses the backup that a drill restores.
import { type BackupManifest, readManifests } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';

/** The backup with the given id, or the one with the newest snapshot; throws `drill.no_backup` when there is none. */
export async function chooseBackup(
  store: ObjectStore,
  database: string,
  backupId: string | undefined,
): Promise<BackupManifest> {
  const manifests = await readManifests(store, database);
  const chosen = backupId === undefined ? manifests[0] : manifests.find((manifest) => manifest.backupId === backupId);
  if (chosen) return chosen;
  throw new JobFailure({
    code: 'drill.no_backup',
    problem:
      backupId === undefined
        ? `bucket "${store.bucket}" holds no complete backup of "${database}"`
        : `bucket "${store.bucket}" holds no complete backup "${backupId}" of "${database}"; it has ${manifests.length}`,
    safeState: 'Nothing was restored',
    hint: 'run backup first, and look at its alarms',
  });
}
