// Checks that the manifest is one whole: what it says of a table must add up, follow without a gap and name its objects.
// A manifest that lost a range would be equal to an archive that lost it, too.
import { storedFileName } from '../shared/archive-toc/archive-file-names.ts';
import type { BackupFiles, ManifestTable } from '../shared/backup-files.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { Findings } from './findings.ts';
import { MOST_TAIL_BYTES } from './read-range.ts';

/** Adds a finding for every number of the manifest that contradicts another one. Reads nothing. */
export function checkNumbers(manifest: BackupManifest, files: BackupFiles, findings: Findings): void {
  const { root, archiveFile, globals } = backupKeys(manifest.database, manifest.backupId);
  const add = (key: string, problem: string) =>
    findings.add(key.startsWith(root) ? key.slice(root.length) : key, problem);

  for (const table of manifest.tables) {
    const wanted = archiveFile(storedFileName(`${table.dumpId}.dat`, manifest.codec));
    if (table.key !== wanted) add(table.key, `the manifest names it for entry ${table.dumpId}; it must be "${wanted}"`);
    for (const problem of tableProblems(table)) add(table.key, problem);
    const object = files.tables.get(table.key);
    if (object === undefined) {
      add(table.key, 'it is not in the list of objects of the manifest');
      continue;
    }
    const last = table.ranges.at(-1);
    const tail = object.bytes - (last === undefined ? 0 : last.offset + last.length);
    if (tail < 1 || tail > MOST_TAIL_BYTES)
      add(table.key, `the manifest leaves ${tail} bytes for the tail member; it must be 1 to ${MOST_TAIL_BYTES}`);
  }
  for (const key of repeated(manifest.objects.map((object) => object.key)))
    add(key, 'it is in the manifest more than once');
  for (const key of repeated(manifest.tables.map((table) => table.key)))
    add(key, 'more than one table of the manifest names it');
  for (const { key } of files.unknown) add(key, 'it is in the manifest but no part of the backup');
  if (files.toc === undefined) add(archiveFile('toc.dat'), 'it is not in the list of objects of the manifest');
  if (files.globals === undefined) add(globals, 'it is not in the list of objects of the manifest');
  if (files.largeObjects.length !== manifest.largeObjects.count) {
    const { count } = manifest.largeObjects;
    add('manifest.json', `it lists ${files.largeObjects.length} files of large objects; it must be ${count}`);
  }
}

function tableProblems({ ranges, rows, bytes }: ManifestTable): string[] {
  const problems: string[] = [];
  let block: number | null = 0;
  let offset = 0;
  ranges.forEach((range, index) => {
    const place = `range ${index + 1} of ${ranges.length}`;
    if (range.offset !== offset) problems.push(`${place} begins at byte ${range.offset}; it must be ${offset}`);
    if (range.blocks[0] !== block)
      problems.push(`${place} begins at block ${range.blocks[0]}; it must be ${block ?? 'none, the table is over'}`);
    block = range.blocks[1];
    offset = range.offset + range.length;
  });
  if (block !== null) problems.push(`the ranges end at block ${block}; they must go to the end of the table`);
  const rowsOfRanges = ranges.reduce((sum, range) => sum + range.rows, 0);
  const bytesOfRanges = ranges.reduce((sum, range) => sum + range.bytes, 0);
  if (rowsOfRanges !== rows) problems.push(`the ranges have ${rowsOfRanges} rows; the table says ${rows}`);
  if (bytesOfRanges !== bytes) problems.push(`the ranges have ${bytesOfRanges} bytes; the table says ${bytes}`);
  return problems;
}

function repeated(keys: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(keys.filter((key) => seen.size === seen.add(key).size))];
}
