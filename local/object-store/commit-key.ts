// Moves a key from one state to the next so that a process killed at any moment leaves the old or the new state:
// new bytes lie ready in the side folder, the record is replaced in one step, then the files follow the record.
// Called by bucket-objects.ts under the bucket's lock, and at start for what a killed process left half done.
// Nothing is flushed to the platter: this guards against a killed process, not against a power cut.
import { link, lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type KeyPlaces, safeSegments } from './create-key-places.ts';
import { recordFile, type StorePaths } from './store-paths.ts';
import { currentObject, type KeyRecord, type VersionRecord, writeJson } from './version-record.ts';

/**
 * Makes `versions` the state of a key and returns its record, or undefined when nothing is left of the key.
 *
 * The bytes of a new version must lie at `data/<dataId>` before the call.
 */
export async function commitKey(
  paths: StorePaths,
  places: KeyPlaces,
  key: string,
  old: KeyRecord | undefined,
  versions: readonly VersionRecord[],
): Promise<KeyRecord | undefined> {
  const next: KeyRecord = {
    key,
    versions,
    plain: currentObject({ key, versions, plain: false }) !== undefined && places.take(key),
  };
  const kept = dataIds(next);
  const oldPlainId = old?.plain === true ? currentObject(old)?.dataId : undefined;
  const newPlainId = next.plain ? currentObject(next)?.dataId : undefined;
  if (oldPlainId !== undefined && oldPlainId !== newPlainId && kept.has(oldPlainId)) {
    // A second name before the commit: at no moment is the older version without a file.
    await ignore('EEXIST', link(plainFile(paths, key), join(paths.data, oldPlainId)));
  }
  try {
    await writeJson(recordFile(paths, key), next);
  } catch (error) {
    if (old?.plain !== true) places.release(key);
    throw error;
  }
  await followRecord(paths, next, old?.plain === true);
  if (!next.plain) places.release(key);
  for (const id of dataIds(old)) if (!kept.has(id)) await rm(join(paths.data, id), { force: true });
  return versions.length === 0 ? undefined : next;
}

/**
 * Brings the files in line with a record; doing it again changes nothing.
 *
 * `ownsPlace` says that a plain file found under the key's name is this key's and not that of one that differs in case.
 */
export async function followRecord(paths: StorePaths, record: KeyRecord, ownsPlace: boolean): Promise<void> {
  const current = currentObject(record);
  if (record.plain && current !== undefined) await placePlain(paths, record.key, join(paths.data, current.dataId));
  else if (ownsPlace) await removePlain(paths, record.key);
  if (record.versions.length === 0) await rm(recordFile(paths, record.key), { force: true });
}

/** The path of a key's plain file; only for keys that may lie there. */
export function plainFile(paths: StorePaths, key: string): string {
  const segments = safeSegments(key);
  if (segments === undefined) throw new RangeError('a key that is no safe path has no plain file');
  return join(paths.objects, ...segments);
}

/** The names in the side folder of all versions of a key. */
export function dataIds(record: KeyRecord | undefined): Set<string> {
  return new Set((record?.versions ?? []).flatMap((version) => (version.kind === 'object' ? [version.dataId] : [])));
}

async function placePlain(paths: StorePaths, key: string, source: string): Promise<void> {
  const target = plainFile(paths, key);
  // Already placed: the source is gone, the target is there.
  if ((await lstat(source).catch(() => undefined)) === undefined) return;
  try {
    await rename(source, target);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') await mkdir(dirname(target), { recursive: true });
    // An empty folder that a killed process left where the file belongs.
    else if (codeOf(error) === 'EISDIR') await rmdir(target);
    else throw error;
    await rename(source, target);
  }
  // Two names of one file: rename does nothing then and leaves both.
  await rm(source, { force: true });
}

async function removePlain(paths: StorePaths, key: string): Promise<void> {
  if (safeSegments(key) === undefined) return;
  const target = plainFile(paths, key);
  const found = await lstat(target).catch(() => undefined);
  // A folder here belongs to keys below this one.
  if (found === undefined || !found.isFile()) return;
  await rm(target);
  for (let folder = dirname(target); folder !== paths.objects; folder = dirname(folder)) {
    if (
      !(await rmdir(folder).then(
        () => true,
        () => false,
      ))
    )
      return;
  }
}

async function ignore(code: string, action: Promise<unknown>): Promise<void> {
  await action.catch((error: unknown) => {
    if (codeOf(error) !== code) throw error;
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
