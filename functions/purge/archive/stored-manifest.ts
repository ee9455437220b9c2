// The manifest that an archive has already, and the rule that nothing it names is ever overwritten.
import type { ObjectStore } from '../../shared/object-store.ts';
import { archiveFailure } from './archive-failure.ts';
import { type ArchiveManifest, parseArchiveManifest } from './archive-manifest.ts';

/** The manifest of an earlier run of the series, or undefined when there is none. */
export async function readStoredManifest(store: ObjectStore, key: string): Promise<ArchiveManifest | undefined> {
  const text = await store.getText(key);
  return text === undefined ? undefined : parseArchiveManifest(key, text);
}

/**
 * The failure for objects that a manifest names and nightshift.purge_object does not.
 *
 * A restore to an earlier time, or a copy of the database that writes into the same bucket: the rows of those objects may be
 * nowhere else.
 */
export function namedButNotRecorded(manifestKey: string, keys: readonly string[], safeState?: string): Error {
  return archiveFailure(
    `"${manifestKey}" names ${keys.length} objects that nightshift.purge_object does not know, the first is "${keys[0] ?? ''}"`,
    'was the database restored to an earlier time, or is it a copy? Set the sequence of nightshift.purge_run above the number in that key, so that the next run begins an archive of its own',
    safeState === undefined ? {} : { safeState },
  );
}
