// What all evidence together makes of a backup: the one place that says whether it counts.
import type { BackupManifest } from './backup-manifest.ts';
import { type DrillRecord, readDrillRecords } from './drill-record.ts';
import type { ObjectStore } from './object-store.ts';
import { readVerifications, type Verification, verifiedState } from './verification.ts';

export interface BackupEvidence {
  /** Both oldest first. */
  verifications: readonly Verification[];
  drills: readonly DrillRecord[];
}

/**
 * "candidate": complete by its manifest, and nothing more is known. "verified": all of it was read back. "drilled": verified,
 * and its newest drill was ok. "broken": damaged by a verification, or by its newest drill that says anything about it: it
 * never counts as a backup.
 */
export type BackupState = 'candidate' | 'verified' | 'drilled' | 'broken';

/** The state of a backup by all evidence; a drill that proved nothing ("unproven") changes nothing. */
export function backupState(manifest: BackupManifest, { verifications, drills }: BackupEvidence): BackupState {
  const byReading = verifiedState(manifest, verifications);
  if (byReading === 'broken') return 'broken';
  const newest = drills.findLast(({ backupId, outcome }) => backupId === manifest.backupId && outcome !== 'unproven');
  if (newest === undefined) return byReading;
  if (newest.outcome !== 'ok') return 'broken';
  return byReading === 'verified' ? 'drilled' : byReading;
}

/** Whether a backup may be relied on: it was read back whole, and nothing speaks against it. */
export function countsAsBackup(state: BackupState): boolean {
  return state === 'verified' || state === 'drilled';
}

/** All evidence about one backup; throws for evidence that cannot be read. */
export async function readEvidence(store: ObjectStore, database: string, backupId: string): Promise<BackupEvidence> {
  const [verifications, drills] = await Promise.all([
    readVerifications(store, database, backupId),
    readDrillRecords(store, database, backupId),
  ]);
  return { verifications, drills };
}
