// Deletes all versions of one backup for good: the manifest's first, so that a half-deleted backup is never listed.
// Says what S3 did not delete, and tells a lock from a refusal: a locked version is never reported as deleted.
import { backupKeys } from '../shared/backup-layout.ts';
import type { ObjectStore, ObjectVersion, VersionId } from '../shared/object-store.ts';
import { type LockedVersion, SHOWN_LOCKS } from './contract.ts';

/** As many as one request may name (S3 API reference). */
const BATCH = 1_000;

export interface NotDeleted {
  /** The first 100 of them. */
  locked: LockedVersion[];
  lockedCount: number;
  /** What S3 refused for another reason than a retention date, one line each. */
  refused: string[];
}

interface DeleteRequest {
  store: ObjectStore;
  database: string;
  backupId: string;
  now: Date;
  /** Asked between two requests: what is left is finished by the next run. */
  signal: AbortSignal;
}

/** The locks on the manifest of a backup: while there is one, nothing of it may be deleted. */
export async function readManifestLocks({
  store,
  database,
  backupId,
  now,
}: Omit<DeleteRequest, 'signal'>): Promise<LockedVersion[]> {
  const locks: LockedVersion[] = [];
  for (const version of await listManifestVersions(store, database, backupId)) {
    const until = version.isDeleteMarker ? undefined : await store.readRetention(version);
    if (until !== undefined && until > now) locks.push(lockOf(version, until));
  }
  return locks;
}

/** Deletes the manifest and then the rest; when the manifest itself is locked, the rest is not touched. */
export async function deleteBackup(request: DeleteRequest): Promise<NotDeleted> {
  const { store, database, backupId, signal } = request;
  const ofManifest = await listManifestVersions(store, database, backupId);
  // Markers last: deleting a marker first would bring the manifest that it hides back for an instant.
  const markersLast = ofManifest.toSorted((a, b) => Number(a.isDeleteMarker) - Number(b.isDeleteMarker));
  const kept = await deleteVersions(request, markersLast);
  if (kept.lockedCount > 0 || kept.refused.length > 0) return kept;

  let batch: VersionId[] = [];
  const flush = async () => {
    signal.throwIfAborted();
    addNotDeleted(kept, await deleteVersions(request, batch));
    batch = [];
  };
  for await (const version of store.listVersions(backupKeys(database, backupId).root)) {
    if (batch.push(version) === BATCH) await flush();
  }
  await flush();
  return kept;
}

/** Deletes versions and sorts those that S3 refused. */
export async function deleteVersions(
  { store, now }: Pick<DeleteRequest, 'store' | 'now'>,
  versions: readonly VersionId[],
): Promise<NotDeleted> {
  const kept: NotDeleted = { locked: [], lockedCount: 0, refused: [] };
  for (const { version, code, reason } of await store.deleteVersions(versions)) {
    // S3 says AccessDenied for a lock and for a missing right. Where the first hundred are locked, so are the rest.
    const isAsTheOthers = code === 'AccessDenied' && kept.locked.length === SHOWN_LOCKS && kept.refused.length === 0;
    const until = isAsTheOthers ? undefined : await store.readRetention(version);
    if (until !== undefined && until > now) kept.locked.push(lockOf(version, until));
    if (isAsTheOthers || (until !== undefined && until > now)) kept.lockedCount += 1;
    else kept.refused.push(`"${version.key}" (version ${version.versionId}): ${reason}`);
  }
  return kept;
}

/** Adds what a further request did not delete. */
export function addNotDeleted(total: NotDeleted, more: NotDeleted): void {
  total.locked.push(...more.locked.slice(0, SHOWN_LOCKS - total.locked.length));
  total.lockedCount += more.lockedCount;
  total.refused.push(...more.refused);
}

async function listManifestVersions(store: ObjectStore, database: string, backupId: string): Promise<ObjectVersion[]> {
  const manifestKey = backupKeys(database, backupId).manifest;
  const versions: ObjectVersion[] = [];
  for await (const version of store.listVersions(manifestKey)) if (version.key === manifestKey) versions.push(version);
  return versions;
}

function lockOf({ key, versionId }: VersionId, until: Date): LockedVersion {
  return { key, versionId, lockedUntil: until.toISOString() };
}
