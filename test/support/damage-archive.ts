// Damages an archive that is not stored yet, and when wanted its manifest with it.
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type StoredArchive, sha256 } from './stored-archive.ts';

/** The key of a file of the archive. */
export function key(archive: StoredArchive, name: string): string {
  return backupKeys(archive.manifest.database, archive.manifest.backupId).archiveFile(name);
}

/** Changes what is stored. */
export function change(archive: StoredArchive, name: string, how: (bytes: Buffer) => Buffer): void {
  const bytes = archive.objects.get(key(archive, name));
  if (bytes === undefined) throw new Error(`${name} is not in the archive`);
  archive.objects.set(key(archive, name), how(Buffer.from(bytes)));
}

/** Changes the object and what the manifest says of its size and SHA-256. */
export function changeBoth(archive: StoredArchive, name: string, how: (bytes: Buffer) => Buffer): void {
  change(archive, name, how);
  const bytes = archive.objects.get(key(archive, name)) ?? Buffer.alloc(0);
  const listed = archive.manifest.objects.find((object) => object.key === key(archive, name));
  if (listed) Object.assign(listed, { bytes: bytes.length, sha256: listed.sha256 && sha256(bytes) });
}

/** A table of the manifest. */
export function table(archive: StoredArchive, name: string) {
  const found = archive.manifest.tables.find((one) => one.name === name);
  if (!found) throw new Error(`no table ${name}`);
  return found;
}

/** Flips one bit of the byte at a place. */
export const flip = (at: number) => (bytes: Buffer) => {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
  return bytes;
};
