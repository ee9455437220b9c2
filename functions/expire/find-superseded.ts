// Finds overwritten versions within a backup that is kept: storage that nobody can need, and no others.
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { ObjectStore, VersionId } from '../shared/object-store.ts';

/**
 * Versions behind a current one that is, by its ETag, the very object that the manifest names.
 *
 * Everything else is left: behind an object that somebody has overwritten or hidden since lies the one that was verified.
 */
export async function findSuperseded(
  store: ObjectStore,
  database: string,
  manifest: BackupManifest,
): Promise<VersionId[]> {
  const etags = new Map(manifest.objects.map(({ key, etag }) => [key, etag]));
  const superseded: VersionId[] = [];
  let asStored: string | undefined;
  // In order of key, the newest version first; a current delete marker leaves its key without a current version.
  for await (const { key, versionId, isDeleteMarker, isLatest, etag } of store.listVersions(
    backupKeys(database, manifest.backupId).root,
  )) {
    if (isDeleteMarker) continue;
    if (isLatest) asStored = etag !== '' && etags.get(key) === etag ? key : undefined;
    else if (key === asStored) superseded.push({ key, versionId });
  }
  return superseded;
}
