// One backup as the bucket shows it: manifest, evidence and what both make of it. Read by health, report and `npm run backups`.
// What cannot be read stays in sight as "unreadable"; it is never left out and never taken for good.
import { backupIdOf, backupKeys, databasePrefix } from './backup-layout.ts';
import { type BackupManifest, parseManifest } from './backup-manifest.ts';
import { type BackupEvidence, type BackupState, backupState, readEvidence } from './backup-state.ts';
import { type FailureCode, JobFailure } from './job-failure.ts';
import type { ObjectStore } from './object-store.ts';

/** A backup of which manifest and evidence were read. */
export interface ReadableBackup {
  backupId: string;
  state: BackupState;
  manifest: BackupManifest;
  evidence: BackupEvidence;
}

export interface UnreadableBackup {
  backupId: string;
  state: 'unreadable';
  /** What of it could still be read: undefined when the manifest itself is damaged. */
  manifest: BackupManifest | undefined;
  problem: string;
}

export type StoredBackup = ReadableBackup | UnreadableBackup;

const UNREADABLE: readonly FailureCode[] = ['manifest.wrong', 'verify.evidence_wrong', 'drill.evidence_wrong'];

/**
 * The ids below which something of a backup lies, newest first; also those of attempts without a manifest.
 *
 * One request for 1,000 of them, however many objects they have. An id is a scheduled time: how far its snapshot may be from
 * it says LATEST_SNAPSHOT_MS.
 */
export async function listBackupIds(store: ObjectStore, database: string): Promise<string[]> {
  const prefix = databasePrefix(database);
  const ids: string[] = [];
  for await (const folder of store.listFolders(prefix)) {
    if (backupIdOf(database, `${prefix}${folder}/`) !== undefined) ids.push(folder);
  }
  return ids.toSorted().toReversed();
}

/**
 * The most that the snapshot of a scheduled backup lies behind its id: three attempts may each wait for the lease of the one
 * before (20 h is the longest life of a snapshot), after an hour of delivery. Only a backup that somebody starts by hand with
 * an older `scheduledTime` is later still, and whoever stops looking here then takes it for older than it is, never for younger.
 */
export const LATEST_SNAPSHOT_MS = 48 * 3_600_000;

/** The instant that a backup id names. */
export function scheduledMs(backupId: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(backupId) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The backup, or undefined when it has no manifest; throws only when S3 does not answer. */
export async function readStoredBackup(
  store: ObjectStore,
  database: string,
  backupId: string,
): Promise<StoredBackup | undefined> {
  let manifest: BackupManifest | undefined;
  try {
    const key = backupKeys(database, backupId).manifest;
    const manifestText = await store.getText(key);
    if (manifestText === undefined) return undefined;
    manifest = requireOwn(key, parseManifest(key, manifestText), database, backupId);
    const evidence = await readEvidence(store, database, backupId);
    return { backupId, state: backupState(manifest, evidence), manifest, evidence };
  } catch (error) {
    if (!(error instanceof JobFailure && UNREADABLE.includes(error.code))) throw error;
    return { backupId, state: 'unreadable', manifest, problem: error.problem };
  }
}

/** A manifest that was copied here from another backup says nothing about this one. */
function requireOwn(key: string, manifest: BackupManifest, database: string, backupId: string): BackupManifest {
  if (manifest.database === database && manifest.backupId === backupId) return manifest;
  throw new JobFailure({
    code: 'manifest.wrong',
    problem: `manifest "${key}" is that of backup "${manifest.backupId}" of database "${manifest.database}"`,
    safeState: 'The backup was neither read nor changed',
    hint: 'find out who copied it there',
  });
}
