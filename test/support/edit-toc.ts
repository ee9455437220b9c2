// Changes the table of contents of a stored backup, and the manifest with it, as a defect of the backup would.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Toc, TocEntry } from '../../functions/shared/archive-toc/toc-entry.ts';
import { createTocReader } from '../../functions/shared/archive-toc/toc-reader.ts';
import { writeDirectoryToc } from '../../functions/shared/archive-toc/toc-writer.ts';
import { type StoredBackup, sha256 } from './changed-backup.ts';

/** Runs `use` while toc.dat holds what `change` makes of its entries, and the manifest says that this is right. */
export async function withToc(
  backup: StoredBackup,
  change: (entries: readonly TocEntry[]) => readonly TocEntry[],
  use: () => Promise<void>,
): Promise<void> {
  const key = backup.keys.archiveFile('toc.dat');
  const path = backup.pathOf(key);
  const saved = readFileSync(path);
  const reader = createTocReader();
  reader.push(saved);
  const toc: Toc = reader.end();
  const entries = change(toc.entries);
  if (entries === toc.entries) throw new Error('nothing was changed');
  const changed = writeDirectoryToc({ ...toc, entries }, { compression: 'gzip' });
  writeFileSync(path, changed);
  try {
    await backup.withManifest((manifest) => {
      for (const object of manifest.objects) {
        if (object.key === key) Object.assign(object, { bytes: changed.length, sha256: sha256(changed) });
      }
    }, use);
  } finally {
    writeFileSync(path, saved);
  }
}

/** Without the entries of that kind whose tag says this; throws when there are none. */
export function withoutEntry(desc: string, tag: string): (entries: readonly TocEntry[]) => TocEntry[] {
  return (entries) => {
    const kept = entries.filter((entry) => entry.desc !== desc || entry.tag.toString('utf8') !== tag);
    if (kept.length === entries.length) throw new Error(`there is no entry ${desc} "${tag}"`);
    return kept;
  };
}

/** With another text in the definitions of that kind; throws when no definition has it. */
export function withDefinition(desc: string, from: string, to: string): (entries: readonly TocEntry[]) => TocEntry[] {
  return (entries) => {
    let count = 0;
    const changed = entries.map((entry) => {
      const text = entry.definition?.toString('utf8') ?? '';
      if (entry.desc !== desc || !text.includes(from)) return entry;
      count += 1;
      return { ...entry, definition: Buffer.from(text.replace(from, to)) };
    });
    if (count === 0) throw new Error(`no definition of ${desc} has "${from}"`);
    return changed;
  };
}
