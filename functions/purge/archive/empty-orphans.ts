// Takes the rows out of objects that were stored and never recorded: a try that was killed between its put and its commit leaves
// one, and its rows, still in the table or archived by a later try, must not lie about. Purge may not delete in the bucket.
import { emptyMember } from '../../shared/archive-data/codec.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore, StoredObject } from '../../shared/object-store.ts';
import { archiveFailure } from './archive-failure.ts';
import { type ArchiveSeries, keysOfSeries } from './archive-series.ts';
import { readRecordedTables } from './recorded-tables.ts';
import { ARCHIVE_TYPE } from './store-object.ts';
import { namedButNotRecorded, readStoredManifest } from './stored-manifest.ts';

/** It decodes to nothing, and nothing else does in so few bytes: whoever loads all files of a folder loads no row of it. */
const EMPTY = emptyMember('gzip');

/**
 * Empties the orphans below the prefix of a series and answers how many; for its end, after writeArchiveManifest, and
 * repeated until it answers. The session must be the one that holds the lock of purge, outside of a transaction. What the manifest names is never touched.
 */
export async function emptyOrphans(
  session: DatabaseSession,
  { series, store }: { series: ArchiveSeries; store: ObjectStore },
): Promise<number> {
  const keys = keysOfSeries(series);
  const keysOf = (tables: { objects: { key: string }[] }[]) =>
    new Set(tables.flatMap(({ objects }) => objects.map(({ key }) => key)));
  const filled: StoredObject[] = [];
  for await (const object of store.list(keys.archive))
    if (object.key.endsWith('.copy.gz') && object.bytes !== EMPTY.length) filled.push(object);
  // After the list, and in the session that holds the lock: what was recorded since is seen here, and what is stored later
  // has another ETag.
  const recorded = keysOf(await readRecordedTables(session, series.seriesId));
  const named = keysOf((await readStoredManifest(store, keys.archiveManifest))?.tables ?? []);
  const orphans = filled.filter(({ key }) => !recorded.has(key));
  const contested = orphans.map(({ key }) => key).filter((key) => named.has(key));
  if (contested.length > 0) throw namedButNotRecorded(keys.archiveManifest, contested, 'No object was overwritten');
  for (const orphan of orphans) await emptyOne(store, orphan);
  return orphans.length;
}

async function emptyOne(store: ObjectStore, object: StoredObject): Promise<void> {
  try {
    await store.replace(object, EMPTY, ARCHIVE_TYPE);
  } catch (error) {
    if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
    // Our own first try, whose answer was lost, or somebody who writes without the lock.
    const present = await store.head(object.key);
    if (present?.bytes === EMPTY.length) return;
    throw archiveFailure(
      `"${object.key}" was changed while it was to be emptied`,
      'look for another run of purge on this database or a copy of it',
      { safeState: 'It was not overwritten', cause: error },
    );
  }
}
