// Finds multipart uploads that nobody will complete: they cost storage, and no listing of objects shows them.
import { attemptOverSince } from '../shared/backup-claims.ts';
import { backupIdOf, databasePrefix } from '../shared/backup-layout.ts';
import type { Clock } from '../shared/clock.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { AFTER_ATTEMPT_MS, SURELY_ENDED_MS } from './choose-leftovers.ts';

const DAY_MS = 86_400_000;

export interface OrphanUpload {
  key: string;
  uploadId: string;
}

/**
 * Uploads of backups that were begun more than a day ago, whose attempt ended an hour ago or more.
 *
 * The next backup aborts such uploads too; this is for a database whose backups have stopped.
 */
export async function findOrphanUploads(store: ObjectStore, clock: Clock, database: string): Promise<OrphanUpload[]> {
  const orphans: OrphanUpload[] = [];
  const over = new Map<string, Awaited<ReturnType<typeof attemptOverSince>>>();
  for await (const { key, uploadId, initiated } of store.listUploads(databasePrefix(database))) {
    const backupId = backupIdOf(database, key);
    const age = clock.now().getTime() - initiated.getTime();
    if (backupId === undefined || age <= DAY_MS) continue;
    if (!over.has(backupId)) over.set(backupId, await attemptOverSince(store, clock, database, backupId));
    const overSince = over.get(backupId);
    const isOver =
      overSince instanceof Date
        ? clock.now().getTime() - overSince.getTime() >= AFTER_ATTEMPT_MS
        : overSince === 'without a claim' && age >= SURELY_ENDED_MS;
    if (isOver) orphans.push({ key, uploadId });
  }
  return orphans;
}
