// Sorts the objects of a manifest by what they are in the archive. Pure.
import { storedFileName } from './archive-toc/archive-file-names.ts';
import { backupKeys } from './backup-layout.ts';
import type { BackupManifest } from './backup-manifest.ts';

export type ManifestTable = BackupManifest['tables'][number];
export type ManifestRange = ManifestTable['ranges'][number];
export type ManifestObject = BackupManifest['objects'][number];

export interface StoredLargeObject {
  oid: number;
  object: ManifestObject;
}

export interface BackupFiles {
  toc: ManifestObject | undefined;
  globals: ManifestObject | undefined;
  /** Undefined in a backup of an older version, too. */
  inventory: ManifestObject | undefined;
  /** The lists of large objects. */
  lists: readonly ManifestObject[];
  /** In order of OID. */
  largeObjects: readonly StoredLargeObject[];
  /** By key; only those that a table of the manifest names. */
  tables: ReadonlyMap<string, ManifestObject>;
  /** What no part of the backup accounts for. */
  unknown: readonly ManifestObject[];
}

const LIST = /^blobs(_\d+)?\.toc$/;

/** Every object of the manifest under what it is. */
export function backupFiles(manifest: BackupManifest): BackupFiles {
  const keys = backupKeys(manifest.database, manifest.backupId);
  const tableKeys = new Set(manifest.tables.map(({ key }) => key));
  const lists: ManifestObject[] = [];
  const largeObjects: StoredLargeObject[] = [];
  const tables = new Map<string, ManifestObject>();
  const unknown: ManifestObject[] = [];
  let toc: ManifestObject | undefined;
  let globals: ManifestObject | undefined;
  let inventory: ManifestObject | undefined;
  for (const object of manifest.objects) {
    const { key } = object;
    const name = key.startsWith(keys.archive) ? key.slice(keys.archive.length) : '';
    const oid = Number(/^blob_([1-9]\d{0,9})\.dat/.exec(name)?.[1] ?? 0);
    if (key === keys.globals) globals = object;
    else if (key === keys.inventory) inventory = object;
    else if (name === 'toc.dat') toc = object;
    else if (tableKeys.has(key)) tables.set(key, object);
    else if (LIST.test(name)) lists.push(object);
    else if (name === storedFileName(`blob_${oid}.dat`, manifest.codec)) largeObjects.push({ oid, object });
    else unknown.push(object);
  }
  largeObjects.sort((a, b) => a.oid - b.oid);
  return { toc, globals, inventory, lists, largeObjects, tables, unknown };
}
