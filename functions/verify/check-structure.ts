// Everything of a backup but the rows and the contents of large objects: cheap, so no sample leaves it out.

import { MissingObject, type Source } from '../shared/archive-data/read-stored.ts';
import type { DumpedContents } from '../shared/archive-toc/dumped-contents.ts';
import { type BackupFiles, backupFiles } from '../shared/backup-files.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { checkNumbers } from './check-numbers.ts';
import { checkObjects } from './check-objects.ts';
import { checkLists, checkWhole } from './check-small-objects.ts';
import { checkToc } from './check-toc.ts';
import type { Findings } from './findings.ts';

interface StructureRequest {
  source: Source;
  manifest: BackupManifest;
  clientDirectories: string;
  findings: Findings;
}

/** Adds a finding for every difference between the manifest, the list of objects, toc.dat, the lists, globals.sql and inventory.json. */
export async function checkStructure(request: StructureRequest): Promise<void> {
  const { source, manifest, findings } = request;
  const { root } = backupKeys(manifest.database, manifest.backupId);
  const files = backupFiles(manifest);
  const add = (key: string, problem: string) =>
    findings.add(key.startsWith(root) ? key.slice(root.length) : key, problem);
  checkNumbers(manifest, files, findings);
  await checkObjects(source.store, manifest, files, findings);
  const contents = await readToc(request, files);
  await checkLists(source, files, contents, add);
  for (const object of [files.globals, files.inventory]) if (object) await checkWhole(source, object, add);
}

async function readToc(
  { source, manifest, clientDirectories, findings }: StructureRequest,
  { toc }: BackupFiles,
): Promise<DumpedContents | undefined> {
  if (toc === undefined) return undefined;
  const add = (problem: string) => findings.add('archive/toc.dat', problem);
  try {
    return await checkToc({ source, manifest, object: toc, clientDirectories, add });
  } catch (error) {
    // The comparison with the list of objects has told it.
    if (error instanceof MissingObject) return undefined;
    throw error;
  }
}
