// Compares the list of what is stored with the manifest: every object with its size, and none besides.

import type { BackupFiles } from '../shared/backup-files.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import type { Findings } from './findings.ts';

/** Adds a finding for every object that is missing, of another size, or lies in the archive without being known. */
export async function checkObjects(
  store: ObjectStore,
  manifest: BackupManifest,
  files: BackupFiles,
  findings: Findings,
): Promise<void> {
  const { root, archive } = backupKeys(manifest.database, manifest.backupId);
  // Those that are unknown have their finding already, and may lie anywhere.
  const unknown = new Set(files.unknown.map(({ key }) => key));
  const wanted = new Map(manifest.objects.filter(({ key }) => !unknown.has(key)).map(({ key, bytes }) => [key, bytes]));
  const compare = (key: string, bytes: number) => {
    const must = wanted.get(key);
    wanted.delete(key);
    if (must === undefined)
      findings.add(key.slice(root.length), `it lies in the archive (${bytes} bytes) but not in the manifest`);
    else if (must !== bytes) findings.add(key.slice(root.length), `it has ${bytes} bytes; it must have ${must}`);
  };

  for await (const { key, bytes } of store.list(archive)) compare(key, bytes);
  for (const object of [files.globals, files.inventory]) {
    const stored = object && (await store.head(object.key));
    if (stored !== undefined) compare(stored.key, stored.bytes);
  }
  for (const key of wanted.keys()) findings.add(key.slice(root.length), 'there is no such object');
}
