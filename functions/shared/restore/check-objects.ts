// Looks whether the objects of a restore are there with their sizes, before the target is touched: one listing.
import type { Source } from '../archive-data/read-stored.ts';
import { backupKeys } from '../backup-layout.ts';
import { ArchiveDamage } from './archive-damage.ts';
import type { ChosenEntries } from './choose-entries.ts';
import type { OpenArchive } from './open-archive.ts';

/** Throws ArchiveDamage naming each object that is missing or of another size. */
export async function checkObjects(source: Source, archive: OpenArchive, chosen: ChosenEntries): Promise<void> {
  const { manifest, files } = archive;
  const { archive: prefix } = backupKeys(manifest.database, manifest.backupId);
  const dumpIds = new Set(chosen.tables.map(({ dumpId }) => dumpId));
  const tableKeys = manifest.tables.flatMap((table) => (dumpIds.has(table.dumpId) ? [table.key] : []));
  const hasLargeObjects = chosen.entries.some(({ desc }) => desc === 'BLOBS');
  const needed = [
    ...tableKeys.map((key) => files.tables.get(key) ?? { key, bytes: -1 }),
    ...(hasLargeObjects ? files.largeObjects.map(({ object }) => object) : []),
  ];
  const stored = new Map<string, number>();
  for await (const { key, bytes } of source.store.list(prefix)) {
    source.signal.throwIfAborted();
    stored.set(key, bytes);
  }
  const differences = needed
    .filter(({ key, bytes }) => stored.get(key) !== bytes)
    .map(({ key, bytes }) => {
      const actual = stored.get(key);
      return {
        what: `archive file "${key.slice(prefix.length)}"`,
        expected: bytes === -1 ? 'no such object' : `${bytes} bytes`,
        actual: actual === undefined ? 'no such object' : `${actual} bytes`,
      };
    });
  if (differences.length > 0) throw new ArchiveDamage(manifest.backupId, differences);
}
