// Reads what the plan is made of: every backup id in the bucket, with manifest, state and size.
import { backupIdOf, backupKeys, databasePrefix } from '../shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../shared/backup-manifest.ts';
import { backupState, readEvidence } from '../shared/backup-state.ts';
import { inParallel } from '../shared/in-parallel.ts';
import { type FailureCode, JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import type { ExpiringBackup } from './plan-expiry.ts';

/** Backups looked at in parallel; each takes a handful of small requests. */
export const READS_IN_FLIGHT = 8;

export interface Unreadable {
  key: string;
  problem: string;
}

export interface FoundBackups {
  backups: ExpiringBackup[];
  /** By backup id. */
  manifests: ReadonlyMap<string, BackupManifest>;
  /** In order of id. */
  withoutManifest: string[];
  unreadable: Unreadable[];
}

/** All backups of a database; a manifest or evidence that cannot be read is told, not thrown. */
export async function readBackups(store: ObjectStore, database: string): Promise<FoundBackups> {
  const ids: string[] = [];
  const prefix = databasePrefix(database);
  for await (const folder of store.listVersionFolders(prefix)) {
    const backupId = backupIdOf(database, `${prefix}${folder}/`);
    if (backupId !== undefined) ids.push(backupId);
  }
  const read = await inParallel(READS_IN_FLIGHT, ids, async (backupId) => await readBackup(store, database, backupId));
  return {
    backups: read.flatMap(({ backup }) => backup ?? []),
    manifests: new Map(
      read.flatMap(({ backupId, manifest }) => (manifest === undefined ? [] : [[backupId, manifest]])),
    ),
    withoutManifest: read.flatMap(({ backupId, backup, unreadable }) => (backup || unreadable ? [] : [backupId])),
    unreadable: read.flatMap(({ unreadable }) => unreadable ?? []),
  };
}

interface ReadBackup {
  backupId: string;
  backup?: ExpiringBackup;
  manifest?: BackupManifest;
  unreadable?: Unreadable;
}

/**
 * The evidence is read before the manifest: another run deletes a manifest first, so where the manifest is still there
 * afterwards, the evidence was whole. A broken backup whose bad evidence is just being deleted would else seem good.
 */
async function readBackup(store: ObjectStore, database: string, backupId: string): Promise<ReadBackup> {
  const keys = backupKeys(database, backupId);
  const evidence = await attempt(
    async () => await readEvidence(store, database, backupId),
    ['verify.evidence_wrong', 'drill.evidence_wrong'],
  );
  const manifestText = await store.getText(keys.manifest);
  if (manifestText === undefined) return { backupId };

  const manifest = await attempt(() => parseManifest(keys.manifest, manifestText), ['manifest.wrong']);
  if (manifest instanceof JobFailure)
    return { backupId, unreadable: { key: keys.manifest, problem: manifest.problem } };
  if (manifest.backupId !== backupId || manifest.database !== database) {
    const problem = `manifest "${keys.manifest}" is that of backup "${manifest.backupId}" of "${manifest.database}"`;
    return { backupId, unreadable: { key: keys.manifest, problem } };
  }
  const bytes = manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
  const backup = { backupId, takenAt: manifest.takenAt, bytes };
  if (evidence instanceof JobFailure) {
    const unreadable = { key: keys.root, problem: evidence.problem };
    return { backupId, manifest, backup: { ...backup, state: 'unknown' }, unreadable };
  }
  return { backupId, manifest, backup: { ...backup, state: backupState(manifest, evidence) } };
}

/** The value, or the failure when its code is one of those given. */
async function attempt<T>(read: () => T | Promise<T>, codes: readonly FailureCode[]): Promise<T | JobFailure> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof JobFailure && codes.includes(error.code)) return error;
    throw error;
  }
}
