// Checks toc.dat: its bytes, what our reader finds in it against the manifest, and that stock pg_restore reads it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Source } from '../shared/archive-data/read-stored.ts';
import { storedFileName } from '../shared/archive-toc/archive-file-names.ts';
import { type DumpedContents, dumpedContents } from '../shared/archive-toc/dumped-contents.ts';
import { fetchToc, orRefusal } from '../shared/archive-toc/fetch-toc.ts';
import type { Toc } from '../shared/archive-toc/toc-entry.ts';
import type { ManifestObject } from '../shared/backup-files.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { findClientTools } from '../shared/postgres-client-tools.ts';
import { quoteQualified } from '../shared/quote-identifier.ts';
import { listArchive } from './list-archive.ts';

interface TocRequest {
  source: Source;
  manifest: BackupManifest;
  object: ManifestObject;
  /** POSTGRES_CLIENT_DIRECTORIES. */
  clientDirectories: string;
  /** Adds a finding about toc.dat. */
  add: (problem: string) => void;
}

/**
 * Adds a finding for every difference; what toc.dat holds, or undefined when it cannot be read.
 *
 * The temporary directory, which holds toc.dat alone, is removed in every case.
 */
export async function checkToc(request: TocRequest): Promise<DumpedContents | undefined> {
  const { source, manifest, object, clientDirectories, add } = request;
  // Before anything is read: without it nothing can be said.
  const tools = await findClientTools(clientDirectories, Number.parseInt(manifest.clientVersion, 10));
  const folder = await mkdtemp(join(tmpdir(), `nightshift-verify-${process.pid}-`));
  try {
    const read = await fetchToc(source, object, join(folder, 'toc.dat'));
    if (read.sha256 !== object.sha256)
      add(`SHA-256: ${read.sha256}, must be ${object.sha256 ?? 'in the manifest, which has none'}`);
    if ('refusal' in read) {
      add(read.refusal);
      return undefined;
    }
    const contents = orRefusal(() => dumpedContents(read.toc));
    if ('refusal' in contents) add(contents.refusal);
    compareHeader(read.toc, manifest, add);
    // Altered bytes are ours to refuse: a program in C may do anything with them.
    if (read.sha256 === object.sha256) {
      const listed = await listArchive(tools, folder, source.signal);
      if ('refusal' in listed) add(`pg_restore ${tools.version} --list refuses it: "${listed.refusal}"`);
      else if (listed.entries !== read.toc.entries.length || listed.tables !== manifest.tables.length)
        add(
          `pg_restore ${tools.version} --list shows ${listed.entries} entries and ${listed.tables} tables with rows; it must be ${read.toc.entries.length} and ${manifest.tables.length}`,
        );
    }
    if ('refusal' in contents) return undefined;
    compareTables(contents, manifest, add);
    compareSequences(contents, manifest, add);
    return contents;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function compareHeader({ header }: Toc, manifest: BackupManifest, add: (problem: string) => void): void {
  const must = `${manifest.format}, ${manifest.codec}, version ${manifest.archiveVersion}`;
  const is = `${header.format}, ${header.codec}, version ${header.version}`;
  if (is !== must) add(`it declares ${is}; the manifest says ${must}`);
}

function compareTables({ tables }: DumpedContents, manifest: BackupManifest, add: (problem: string) => void): void {
  const { archiveFile } = backupKeys(manifest.database, manifest.backupId);
  const describe = (dumpId: number, schema: string, name: string, key: string) =>
    `entry ${dumpId}, rows of ${quoteQualified(schema, name)} in "${key}"`;
  compareLists(
    tables.map(({ dumpId, schema, name, fileName }) =>
      describe(dumpId, schema, name, archiveFile(storedFileName(fileName, manifest.codec))),
    ),
    manifest.tables.map(({ dumpId, schema, name, key }) => describe(dumpId, schema, name, key)),
    add,
  );
}

function compareSequences(
  { sequences }: DumpedContents,
  manifest: BackupManifest,
  add: (problem: string) => void,
): void {
  const describe = ({ schema, name, lastValue, isCalled }: BackupManifest['sequences'][number]) =>
    `sequence ${quoteQualified(schema, name)} at ${lastValue}${isCalled ? '' : ', not called'}`;
  compareLists(sequences.map(describe), manifest.sequences.map(describe), add);
}

function compareLists(is: readonly string[], must: readonly string[], add: (problem: string) => void): void {
  const [inToc, inManifest] = [new Set(is), new Set(must)];
  for (const one of inManifest) if (!inToc.has(one)) add(`${one} is in the manifest but not here`);
  for (const one of inToc) if (!inManifest.has(one)) add(`${one} is here but not in the manifest`);
  if (is.length !== inToc.size || must.length !== inManifest.size)
    add('an entry is there twice, here or in the manifest');
}
