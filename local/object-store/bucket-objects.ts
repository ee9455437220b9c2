// The objects of one bucket with all their versions: an index in memory, the truth on disk (see commit-key.ts).
// Opened once per start; one process per directory. It must never give out an object whose bytes are not whole.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../functions/shared/clock.ts';
import { commitKey, dataIds, followRecord, plainFile } from './commit-key.ts';
import type { IdSource } from './create-id-source.ts';
import { createKeyPlaces } from './create-key-places.ts';
import { createLock } from './create-lock.ts';
import type { StorePaths } from './store-paths.ts';
import {
  currentObject,
  type KeyRecord,
  type ObjectDraft,
  type ObjectVersion,
  type Retention,
  unfinished,
  type VersionRecord,
} from './version-record.ts';

export interface BucketObjects {
  /** All keys in the order of their UTF-8 bytes, deleted ones with older versions among them. */
  keys(): readonly string[];
  /** Newest first; empty when the key is unknown. */
  versions(key: string): readonly VersionRecord[];
  /** Makes the file `incoming` the newest version; `check` sees the current object and may refuse by throwing. */
  put(
    key: string,
    draft: ObjectDraft,
    incoming: string,
    check: (current: ObjectVersion | undefined) => void,
  ): Promise<ObjectVersion>;
  /** Deletes as S3 does without a version id: with a marker where the bucket keeps versions. */
  deleteKey(key: string): Promise<VersionRecord | undefined>;
  /** Removes one version for good, also a marker; `check` may refuse by throwing. Undefined when there is none. */
  deleteVersion(
    key: string,
    versionId: string,
    check: (version: VersionRecord) => void,
  ): Promise<VersionRecord | undefined>;
  setRetention(key: string, versionId: string, change: (version: ObjectVersion) => Retention): Promise<void>;
  /** Opens the version that `find` chooses, with the bytes that belong to it whatever is written meanwhile. */
  open(key: string, find: (versions: readonly VersionRecord[]) => ObjectVersion): Promise<OpenedObject>;
}

export interface OpenedObject {
  readonly version: ObjectVersion;
  /** The caller closes it. */
  readonly file: FileHandle;
}

interface BucketObjectsParts {
  readonly paths: StorePaths;
  readonly versioned: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: IdSource;
}

/** Reads the records of a bucket and finishes what a killed process left half done. */
export async function openBucketObjects({ paths, versioned, clock, ids }: BucketObjectsParts): Promise<BucketObjects> {
  const places = createKeyPlaces();
  const records = await readRecords(paths);
  for (const record of records.values()) if (record.plain) places.take(record.key);
  for (const record of records.values()) {
    const ownsPlace = places.take(record.key);
    await followRecord(paths, record, ownsPlace);
    if (!record.plain && ownsPlace) places.release(record.key);
    for (const version of record.versions) ids.noteId(version.versionId);
    if (record.versions.length === 0) records.delete(record.key);
  }
  await removeOrphans(paths, records);

  const lock = createLock();
  let sorted: readonly string[] | undefined;
  const versionsOf = (key: string) => records.get(key)?.versions ?? [];
  const commit = async (key: string, versions: readonly VersionRecord[]) => {
    const record = await commitKey(paths, places, key, records.get(key), versions);
    if (record === undefined || !records.has(key)) sorted = undefined;
    if (record === undefined) records.delete(key);
    else records.set(key, record);
  };
  const stamp = () => ({
    versionId: versioned ? ids.versionId() : 'null',
    lastModified: clock.now().toISOString(),
  });

  return {
    keys: () => (sorted ??= sortKeys([...records.keys()])),
    versions: versionsOf,
    put: (key, draft, incoming, check) =>
      lock(async () => {
        check(currentObject(records.get(key)));
        const version: ObjectVersion = { kind: 'object', ...draft, ...stamp(), dataId: randomUUID() };
        await rename(incoming, join(paths.data, version.dataId));
        await commit(key, versioned ? [version, ...versionsOf(key)] : [version]);
        return version;
      }),
    deleteKey: (key) =>
      lock(async () => {
        const marker: VersionRecord = { kind: 'delete marker', ...stamp() };
        if (versioned) await commit(key, [marker, ...versionsOf(key)]);
        else if (records.has(key)) await commit(key, []);
        return versioned ? marker : undefined;
      }),
    deleteVersion: (key, versionId, check) =>
      lock(async () => {
        const found = versionsOf(key).find((version) => version.versionId === versionId);
        if (found === undefined) return undefined;
        check(found);
        await commit(
          key,
          versionsOf(key).filter((version) => version !== found),
        );
        return found;
      }),
    setRetention: (key, versionId, change) =>
      lock(async () => {
        const next = versionsOf(key).map((version) =>
          version.kind === 'object' && version.versionId === versionId
            ? { ...version, retention: change(version) }
            : version,
        );
        await commit(key, next);
      }),
    open: (key, find) =>
      lock(async () => {
        const version = find(versionsOf(key));
        const record = records.get(key);
        const isPlain = record?.plain === true && currentObject(record) === version;
        return { version, file: await open(isPlain ? plainFile(paths, key) : join(paths.data, version.dataId)) };
      }),
  };
}

async function readRecords(paths: StorePaths): Promise<Map<string, KeyRecord>> {
  const records = new Map<string, KeyRecord>();
  for (const name of await readdir(paths.records)) {
    const file = join(paths.records, name);
    if (name.endsWith(unfinished)) await rm(file);
    else {
      const record = JSON.parse(await readFile(file, 'utf8')) as KeyRecord;
      records.set(record.key, record);
    }
  }
  return records;
}

async function removeOrphans(paths: StorePaths, records: ReadonlyMap<string, KeyRecord>): Promise<void> {
  const known = new Set([...records.values()].flatMap((record) => [...dataIds(record)]));
  for (const id of await readdir(paths.data)) if (!known.has(id)) await rm(join(paths.data, id));
  for (const name of await readdir(paths.incoming)) await rm(join(paths.incoming, name));
}

function sortKeys(keys: readonly string[]): string[] {
  // S3 orders by UTF-8 bytes; JavaScript's own order puts characters beyond the basic plane too early.
  return keys
    .map((key) => Buffer.from(key))
    .toSorted((a, b) => a.compare(b))
    .map((bytes) => bytes.toString());
}
