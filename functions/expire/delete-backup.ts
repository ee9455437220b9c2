// Deletes all versions of one backup for good: the manifest's first, so that a half-deleted backup is never listed.
import { backupKeys } from '../shared/backup-layout.ts';
import type { ObjectStore, ObjectVersion } from '../shared/object-store.ts';

export interface LockedVersion {
  key: string;
  versionId: string;
  reason: string;
}

/**
 * The versions that S3 refused to delete; empty when nothing of the backup is left.
 *
 * When the manifest itself is locked, the rest is not touched: the backup stays whole.
 */
export async function deleteBackup(
  store: ObjectStore,
  database: string,
  backupId: string,
  versions: readonly ObjectVersion[],
): Promise<LockedVersion[]> {
  const manifestKey = backupKeys(database, backupId).manifest;
  const ofManifest = versions.filter(({ key }) => key === manifestKey);
  const lockedManifest = await deleteAll(store, ofManifest);
  if (lockedManifest.length > 0) return lockedManifest;
  return await deleteAll(
    store,
    versions.filter(({ key }) => key !== manifestKey),
  );
}

async function deleteAll(store: ObjectStore, versions: readonly ObjectVersion[]): Promise<LockedVersion[]> {
  // Markers last: deleting a marker first would bring the object that it hides back for an instant.
  const ordered = [...versions.filter((one) => !one.isDeleteMarker), ...versions.filter((one) => one.isDeleteMarker)];
  const refused = await store.deleteVersions(ordered);
  return refused.map(({ version, reason }) => ({ key: version.key, versionId: version.versionId, reason }));
}
