// Opens a stored archive for a restore: its table of contents, checked against the manifest, and what every object is.
import { join } from 'node:path';
import type { Source } from '../archive-data/read-stored.ts';
import { MissingObject } from '../archive-data/read-stored.ts';
import { type DumpedContents, dumpedContents } from '../archive-toc/dumped-contents.ts';
import { fetchToc, orRefusal } from '../archive-toc/fetch-toc.ts';
import type { Toc } from '../archive-toc/toc-entry.ts';
import { type BackupFiles, backupFiles } from '../backup-files.ts';
import type { BackupManifest } from '../backup-manifest.ts';
import { ArchiveDamage } from './archive-damage.ts';

export interface OpenArchive {
  manifest: BackupManifest;
  toc: Toc;
  contents: DumpedContents;
  files: BackupFiles;
  /** Holds toc.dat alone: what pg_restore needs to write SQL. */
  folder: string;
}

/** Reads toc.dat into `folder`, which must be empty; throws ArchiveDamage when it is not what the manifest says. */
export async function openArchive(source: Source, manifest: BackupManifest, folder: string): Promise<OpenArchive> {
  const files = backupFiles(manifest);
  const damage = (actual: string, expected: string) =>
    new ArchiveDamage(manifest.backupId, [{ what: 'archive file "toc.dat"', expected, actual }]);
  if (files.toc === undefined) throw damage('not in the manifest', 'an object');
  const { sha256: expected } = files.toc;
  let read: Awaited<ReturnType<typeof fetchToc>>;
  try {
    read = await fetchToc(source, files.toc, join(folder, 'toc.dat'));
  } catch (error) {
    if (error instanceof MissingObject) throw damage('no such object', `${files.toc.bytes} bytes`);
    throw error;
  }
  if (read.sha256 !== expected) throw damage(`SHA-256 ${read.sha256}`, `SHA-256 ${expected ?? 'missing'}`);
  if ('refusal' in read) throw damage(read.refusal, 'a table of contents');
  const { toc } = read;
  const contents = orRefusal(() => dumpedContents(toc));
  if ('refusal' in contents) throw damage(contents.refusal, 'a table of contents');
  return { manifest, toc, contents, files, folder };
}
