// The claims of backups as they lie in the bucket: who works on which attempt, until when, and which have failed.
// backup writes them; backup and expire read them to tell what may still be at work.
import * as z from 'zod';
import { claimKeys } from './backup-layout.ts';
import type { Clock } from './clock.ts';
import type { ObjectStore } from './object-store.ts';

export interface Claim {
  backupId: string;
  attempt: number;
  scheduled: string;
  scheduledTime: Date;
}

const claimSchema = z.object({ executionId: z.string(), startedAt: z.string(), leaseEnd: z.iso.datetime() });
const failedSchema = z.object({ failedAt: z.iso.datetime() });

/** The claim behind a backup id. */
export function claimOf(backupId: string): Claim {
  const [scheduled = backupId, attempt = '1'] = backupId.split('-');
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(scheduled) ?? [];
  const scheduledTime = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return { backupId, attempt: Number(attempt), scheduled, scheduledTime };
}

/** Who holds a claim and until when; undefined when there is none. */
export async function readClaim(store: ObjectStore, key: string): Promise<z.output<typeof claimSchema> | undefined> {
  const claimText = await store.getText(key);
  return claimText === undefined ? undefined : claimSchema.parse(JSON.parse(claimText));
}

/**
 * Since when the attempt behind a backup id cannot be at work any more: it has failed, or its lease is over.
 *
 * Undefined while it may be at work. Without a claim (an object lock or somebody's hand removed it) nobody can know:
 * `without a claim` is answered, and the caller decides.
 */
export async function attemptOverSince(
  store: ObjectStore,
  clock: Clock,
  database: string,
  backupId: string,
): Promise<Date | 'without a claim' | undefined> {
  const { scheduled, attempt } = claimOf(backupId);
  const keys = claimKeys(database, scheduled, attempt);
  const failed = await store.getText(keys.failed);
  if (failed !== undefined) return new Date(failedSchema.parse(JSON.parse(failed)).failedAt);
  const holder = await readClaim(store, keys.claim);
  if (holder === undefined) return 'without a claim';
  const leaseEnd = new Date(holder.leaseEnd);
  return leaseEnd <= clock.now() ? leaseEnd : undefined;
}
