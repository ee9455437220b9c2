// Chooses the backups that a drill restores: the newest that counts, and now and then a random older one, or the named one.
import { randomInt } from 'node:crypto';
import { backupKeys } from '../shared/backup-layout.ts';
import { type BackupManifest, parseManifest, readManifests } from '../shared/backup-manifest.ts';
import { type BackupEvidence, backupState, countsAsBackup, readEvidence } from '../shared/backup-state.ts';
import type { DrillRecord } from '../shared/drill-record.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { verifiedTables } from '../shared/verification.ts';

export interface ChosenBackup {
  manifest: BackupManifest;
  chosenAs: DrillRecord['chosenAs'];
}

const DAY_MS = 86_400_000;

interface Choice {
  store: ObjectStore;
  database: string;
  backupId: string | undefined;
  olderEveryDays: number;
  now: Date;
  /** From 0 (inclusive) to `below` (exclusive). */
  random?: (below: number) => number;
}

/**
 * One backup, or two when an older one is due.
 *
 * Only what was read back whole is drilled: without its row digests the rows could not be compared. Throws `drill.no_backup`
 * when there is none, and `drill.not_verified` for a named one that was not.
 */
export async function chooseBackups(choice: Choice): Promise<ChosenBackup[]> {
  const { store, database, backupId, now, random = randomInt } = choice;
  if (backupId !== undefined) return [{ manifest: await readNamed(store, database, backupId), chosenAs: 'named' }];
  const counted: BackupManifest[] = [];
  const drills: DrillRecord[] = [];
  const manifests = await readManifests(store, database);
  for (const manifest of manifests) {
    const evidence = await readEvidence(store, database, manifest.backupId);
    drills.push(...evidence.drills);
    if (countsAsBackup(backupState(manifest, evidence))) counted.push(manifest);
  }
  const [newest, ...older] = counted;
  if (newest === undefined) throw noBackup(store, database, manifests.length);
  const lastOlder = Math.max(
    -Infinity,
    ...drills.flatMap(({ chosenAs, finishedAt }) => (chosenAs === 'older' ? Date.parse(finishedAt) : [])),
  );
  const isDue = now.getTime() - lastOlder >= choice.olderEveryDays * DAY_MS;
  const chosen: ChosenBackup[] = [{ manifest: newest, chosenAs: 'newest' }];
  const other = isDue && older.length > 0 ? older[random(older.length)] : undefined;
  return other === undefined ? chosen : [...chosen, { manifest: other, chosenAs: 'older' }];
}

/** The manifest of one backup; throws `drill.no_backup` when it is not complete, or is no more. */
export async function readManifest(store: ObjectStore, database: string, backupId: string): Promise<BackupManifest> {
  const key = backupKeys(database, backupId).manifest;
  const manifestText = await store.getText(key);
  if (manifestText !== undefined) return parseManifest(key, manifestText);
  throw new JobFailure({
    code: 'drill.no_backup',
    problem: `bucket "${store.bucket}" holds no complete backup "${backupId}" of "${database}"`,
    safeState: 'Nothing was restored',
    hint: 'check the id: npm run backups lists what is there',
  });
}

async function readNamed(store: ObjectStore, database: string, backupId: string): Promise<BackupManifest> {
  const manifest = await readManifest(store, database, backupId);
  const evidence: BackupEvidence = await readEvidence(store, database, backupId);
  if (verifiedTables(manifest, evidence.verifications) !== undefined) return manifest;
  throw new JobFailure({
    code: 'drill.not_verified',
    problem: `backup ${backupId} was not read back whole, or a verification found it damaged, so there is nothing to compare its rows with`,
    safeState: 'Nothing was restored',
    hint: 'run verify with this backupId first',
  });
}

function noBackup(store: ObjectStore, database: string, complete: number): JobFailure {
  return new JobFailure({
    code: 'drill.no_backup',
    problem:
      complete === 0
        ? `bucket "${store.bucket}" holds no complete backup of "${database}"`
        : `bucket "${store.bucket}" holds no verified backup of "${database}"; it has ${complete} that are not, or are broken`,
    safeState: 'Nothing was restored',
    hint: 'run backup and verify first, and look at their alarms',
  });
}
