// Looks at what lies under the ids without a manifest, and whether an attempt may still be at work there.
import { attemptOverSince, claimOf } from '../shared/backup-claims.ts';
import { backupKeys, claimKeys } from '../shared/backup-layout.ts';
import type { Clock } from '../shared/clock.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import type { Incomplete } from './choose-leftovers.ts';
import type { Unreadable } from './read-backups.ts';

/** What is known about an id without a manifest; a claim that cannot be read is told, not thrown. */
export async function readIncomplete(
  store: ObjectStore,
  clock: Clock,
  database: string,
  backupId: string,
): Promise<Incomplete | Unreadable> {
  const overSince = await readOverSince(store, clock, database, backupId);
  if (overSince !== undefined && 'problem' in overSince) return overSince;

  const keys = backupKeys(database, backupId);
  let lastWritten = new Date(0);
  let marker: Date | undefined;
  let hasManifest = false;
  for await (const { key, isDeleteMarker, isLatest, lastModified } of store.listVersions(keys.root)) {
    if (!isDeleteMarker && lastModified > lastWritten) lastWritten = lastModified;
    if (key !== keys.manifest) continue;
    if (!isDeleteMarker) hasManifest = true;
    else if (isLatest) marker = lastModified;
  }
  return { backupId, overSince: overSince?.at, lastWritten, hiddenSince: hasManifest ? marker : undefined };
}

async function readOverSince(
  store: ObjectStore,
  clock: Clock,
  database: string,
  backupId: string,
): Promise<{ at: NonNullable<Incomplete['overSince']> } | Unreadable | undefined> {
  try {
    const at = await attemptOverSince(store, clock, database, backupId);
    return at === undefined ? undefined : { at };
  } catch (error) {
    // S3 itself is a failure of this run; what is left is a claim whose text is not one.
    if (error instanceof JobFailure) throw error;
    const { scheduled, attempt } = claimOf(backupId);
    const key = claimKeys(database, scheduled, attempt).claim;
    return { key, problem: `the claim behind "${key}" cannot be read: ${describeError(error)}` };
  }
}
