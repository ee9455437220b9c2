// Aborts what a killed run has left: multipart uploads of attempts that can no longer be at work.
import { attemptOverSince } from '../../shared/backup-claims.ts';
import { backupIdOf, databasePrefix } from '../../shared/backup-layout.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { ObjectStore } from '../../shared/object-store.ts';

/** How many uploads were aborted; those of live attempts and of other databases are left alone. */
export async function sweepUploads(store: ObjectStore, clock: Clock, log: Log, database: string): Promise<number> {
  let aborted = 0;
  for await (const { key, uploadId } of store.listUploads(databasePrefix(database))) {
    const backupId = backupIdOf(database, key);
    if (backupId === undefined || !(await attemptOverSince(store, clock, database, backupId))) continue;
    await store.abortUpload(key, uploadId);
    log.warn('backup.orphan_upload_aborted', { key });
    aborted += 1;
  }
  return aborted;
}
