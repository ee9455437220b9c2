// Collects what a restored database must be equal to: from the manifest, the inventory, the evidence of verify and sql/drill/.
import { createHash } from 'node:crypto';
import { backupKeys } from '../../shared/backup-layout.ts';
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import { type Inventory, parseInventory } from '../../shared/inventory.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { readVerifications, verifiedTables } from '../../shared/verification.ts';
import type { Expected } from './compare-restored.ts';
import { readAssertions } from './read-assertions.ts';

/**
 * Reads it before anything is restored: what is damaged or refused must not cost a restore.
 *
 * `contents` are those of the archive's toc.dat. Throws `inventory.wrong`, `verify.evidence_wrong` and
 * `drill.assertion_refused`.
 */
export async function readExpected(
  store: ObjectStore,
  manifest: BackupManifest,
  { contents, leftOut }: Pick<Expected, 'contents' | 'leftOut'>,
): Promise<Expected> {
  const assertions = readAssertions();
  const inventory = await readStoredInventory(store, manifest);
  const evidence = await readVerifications(store, manifest.database, manifest.backupId);
  return { manifest, contents, inventory, verified: verifiedTables(manifest, evidence), leftOut, assertions };
}

/** The inventory of a backup, checked against its manifest; undefined when the manifest names none. */
export async function readStoredInventory(
  store: ObjectStore,
  manifest: BackupManifest,
): Promise<Inventory | undefined> {
  const key = backupKeys(manifest.database, manifest.backupId).inventory;
  const object = manifest.objects.find((one) => one.key === key);
  if (object === undefined) return undefined;
  const text = await store.getText(key);
  const sha256 = createHash('sha256')
    .update(text ?? '')
    .digest('hex');
  if (text !== undefined && sha256 === object.sha256) return parseInventory(key, text);
  throw new JobFailure({
    code: 'inventory.wrong',
    problem:
      text === undefined
        ? `there is no object "${key}", which the manifest names`
        : `the inventory "${key}" has SHA-256 ${sha256}; its manifest says ${object.sha256}`,
    safeState: 'Nothing was restored; the backup was not changed',
    hint: 'verify this backup: something has changed it after it was made',
  });
}
