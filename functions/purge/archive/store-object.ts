// Puts an object of an archive into S3, also where a try that was killed before its commit has left one.
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { namedButNotRecorded, readStoredManifest } from './stored-manifest.ts';

export const ARCHIVE_TYPE = 'application/gzip';

/**
 * One put of a new object; when there is one, another in place of exactly that one.
 *
 * Says nothing about what S3 holds afterwards: with a lost answer this cannot be told from here, so whoever calls it reads the
 * object back. Never overwrites what the manifest names.
 */
export async function storeObject(
  store: ObjectStore,
  { key, body, manifestKey, signal }: { key: string; body: Buffer; manifestKey: string; signal: AbortSignal },
): Promise<void> {
  if (await isPut(signal, async () => await store.putNew(key, body, ARCHIVE_TYPE, signal))) return;
  const manifest = await readStoredManifest(store, manifestKey);
  if (manifest?.tables.some(({ objects }) => objects.some((object) => object.key === key))) {
    throw namedButNotRecorded(manifestKey, [key]);
  }
  const present = await store.head(key);
  if (present === undefined) return;
  await isPut(signal, async () => await store.replace(present, body, ARCHIVE_TYPE, signal));
}

/** False when there is another object already: maybe our own, whose answer was lost. */
async function isPut(signal: AbortSignal, put: () => Promise<unknown>): Promise<boolean> {
  try {
    await put();
    return true;
  } catch (error) {
    // Rather the reason of the abort than what the broken request says.
    signal.throwIfAborted();
    if (error instanceof JobFailure && error.code === 'object_store.exists') return false;
    throw error;
  }
}
