// Chooses the backup for a restore by hand: the newest that is proven, or the one that was named, with what is known of it.
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest, readManifests } from '../../functions/shared/backup-manifest.ts';
import { type BackupState, backupState, countsAsBackup, readEvidence } from '../../functions/shared/backup-state.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import type { RestoreArguments } from './parse-arguments.ts';

export interface ChosenBackup {
  manifest: BackupManifest;
  state: BackupState;
  /** Newer ones, newest first, that were not taken because they are not proven. */
  passedOver: readonly { backupId: string; state: BackupState }[];
}

/** Throws `restore.no_backup` when there is none, or when the named one is not proven and that was not allowed. */
export async function chooseBackup(
  store: ObjectStore,
  { database, backupId, allowUnproven }: Pick<RestoreArguments, 'database' | 'backupId' | 'allowUnproven'>,
): Promise<ChosenBackup> {
  const stateOf = async (manifest: BackupManifest) =>
    backupState(manifest, await readEvidence(store, database, manifest.backupId));
  if (backupId !== undefined) {
    const key = backupKeys(database, backupId).manifest;
    const text = await store.getText(key);
    if (text === undefined)
      throw noBackup(`bucket "${store.bucket}" holds no complete backup "${backupId}" of "${database}"`);
    const manifest = parseManifest(key, text);
    const state = await stateOf(manifest);
    if (countsAsBackup(state) || allowUnproven) return { manifest, state, passedOver: [] };
    throw noBackup(
      state === 'broken'
        ? `backup ${backupId} is broken: a verification or its newest drill found that it is not what was written`
        : `backup ${backupId} was never read back: nobody knows whether it is whole`,
      'take another one (npm run backups lists them), or say --allow-unproven: what is damaged is still refused',
    );
  }
  const manifests = await readManifests(store, database);
  const passedOver: ChosenBackup['passedOver'][number][] = [];
  for (const manifest of manifests) {
    const state = await stateOf(manifest);
    if (countsAsBackup(state)) return { manifest, state, passedOver };
    passedOver.push({ backupId: manifest.backupId, state });
  }
  throw noBackup(
    `bucket "${store.bucket}" holds no verified backup of "${database}"; it has ${manifests.length} that are not`,
    'npm run backups lists them; name one with --backup and say --allow-unproven',
  );
}

function noBackup(
  problem: string,
  hint = 'check --bucket and --database; npm run backups lists what is there',
): JobFailure {
  return new JobFailure({ code: 'restore.no_backup', problem, safeState: 'Nothing was restored', hint });
}
