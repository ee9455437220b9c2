// Chooses what a verification reads: which backup, and which sample of it.
import { backupKeys } from '../shared/backup-layout.ts';
import { type BackupManifest, parseManifest, readManifests } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { readVerifications, type Sample, type Verification, verifiedState } from '../shared/verification.ts';

export interface ChosenBackup {
  manifest: BackupManifest;
  /** All evidence about it so far, oldest first. */
  evidence: Verification[];
}

const DAY_MS = 86_400_000;

/**
 * The backup with the given id, or the newest one that is neither verified nor broken, or else the newest.
 *
 * Throws `verify.no_backup` when there is none.
 */
export async function chooseBackup(
  store: ObjectStore,
  database: string,
  backupId: string | undefined,
): Promise<ChosenBackup> {
  if (backupId !== undefined) {
    const manifest = await readManifest(store, database, backupId);
    return { manifest, evidence: await readVerifications(store, database, backupId) };
  }
  let newest: ChosenBackup | undefined;
  for (const manifest of await readManifests(store, database)) {
    const chosen = { manifest, evidence: await readVerifications(store, database, manifest.backupId) };
    if (verifiedState(manifest, chosen.evidence) === 'candidate') return chosen;
    newest ??= chosen;
  }
  if (newest !== undefined) return newest;
  throw noBackup(`bucket "${store.bucket}" holds no complete backup of "${database}"`);
}

/** The manifest of one backup; throws `verify.no_backup` when it is not complete, or is no more. */
export async function readManifest(store: ObjectStore, database: string, backupId: string): Promise<BackupManifest> {
  const key = backupKeys(database, backupId).manifest;
  const manifestText = await store.getText(key);
  if (manifestText !== undefined) return parseManifest(key, manifestText);
  throw noBackup(`bucket "${store.bucket}" holds no complete backup "${backupId}" of "${database}"`);
}

/**
 * The sample as the event says it ("2/7"), or the next of `samples` that is not verified; null is everything.
 *
 * Each backup begins with another sample, by the day it was taken: where every backup is read once, all are read in turn.
 */
export function chooseSample(
  { manifest, evidence }: ChosenBackup,
  samples: number | undefined,
  wanted: string | undefined,
): Sample | null {
  if (wanted !== undefined) {
    const [number = 1, of = 2] = wanted.split('/').map(Number);
    return { number, of };
  }
  if (samples === undefined || samples === 1) return null;
  const done = new Set(
    evidence.flatMap(({ outcome, sample }) => (outcome === 'sample ok' && sample?.of === samples ? sample.number : [])),
  );
  const first = Math.floor(Date.parse(manifest.takenAt) / DAY_MS) % samples;
  const inTurn = Array.from({ length: samples }, (_, index) => ((first + index) % samples) + 1);
  return { number: inTurn.find((number) => !done.has(number)) ?? first + 1, of: samples };
}

function noBackup(problem: string): JobFailure {
  return new JobFailure({
    code: 'verify.no_backup',
    problem,
    safeState: 'Nothing was verified',
    hint: 'run backup first, and look at its alarms; a backup that was expired meanwhile needs no verification',
  });
}
