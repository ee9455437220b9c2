// Fetches the objects of an archive into a folder and checks every byte that the manifest has a checksum of. What S3 does
// not answer is an error of the drill; what it answers differently from the manifest is a finding about the backup.
import { createWriteStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { DrillDifference } from '../shared/drill-record.ts';
import { inParallel } from '../shared/in-parallel.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { type ArchiveObject, archiveObjects, createRangeCheck } from './archive-objects.ts';

interface FetchRequest {
  store: ObjectStore;
  manifest: BackupManifest;
  /** An empty folder; the files are in it as pg_restore wants them. */
  folder: string;
  signal: AbortSignal;
}

/** One download fills about 90 MB/s in Lambda; more of them only compete for its network. */
const AT_ONCE = 4;
/** A body can break off midway, which the SDK does not repeat. */
const ATTEMPTS = 3;
/** For what else is written below the temporary directory; and a file takes whole blocks. */
const RESERVE_BYTES = 16 * 2 ** 20;
const BLOCK_BYTES = 4_096;
const SAFE_STATE = 'Nothing was restored; the backup was not changed';

/** Refuses with `drill.no_space`, before anything is fetched, an archive that does not fit beside the folder. */
export async function requireSpace(manifest: BackupManifest, folder: string): Promise<void> {
  const needed = archiveObjects(manifest).reduce((sum, { bytes }) => sum + bytes + BLOCK_BYTES, RESERVE_BYTES);
  const { bavail, bsize } = await statfs(folder);
  if (needed > bavail * bsize) throw noSpace(manifest, folder, needed, bavail * bsize);
}

/** Fetches everything; the answer are the objects that are not what the manifest says, with both values. */
export async function fetchArchive(request: FetchRequest): Promise<DrillDifference[]> {
  const objects = archiveObjects(request.manifest);
  const differences = await compareSizes(request, objects);
  // The rest would only be looked at for the sake of a longer list.
  if (differences.length > 0) return differences;
  const found = await inParallel(AT_ONCE, objects, async (object) => await fetchObject(request, object));
  return found.flat();
}

async function compareSizes(
  { store, manifest, signal }: FetchRequest,
  objects: readonly ArchiveObject[],
): Promise<DrillDifference[]> {
  const stored = new Map<string, number>();
  for await (const { key, bytes } of store.list(backupKeys(manifest.database, manifest.backupId).archive)) {
    signal.throwIfAborted();
    stored.set(key, bytes);
  }
  return objects
    .filter(({ key, bytes }) => stored.get(key) !== bytes)
    .map(({ key, name, bytes }) => {
      const actual = stored.get(key);
      return {
        what: `archive file "${name}"`,
        expected: `${bytes} bytes`,
        actual: actual === undefined ? 'no such object' : `${actual} bytes`,
      };
    });
}

async function fetchObject(request: FetchRequest, object: ArchiveObject): Promise<DrillDifference[]> {
  for (let attempt = 1; ; attempt += 1) {
    request.signal.throwIfAborted();
    const source = await request.store.getStream(object.key);
    const check = createRangeCheck(object.ranges);
    try {
      const target = createWriteStream(join(request.folder, object.name), { mode: 0o600 });
      await pipeline(
        source,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            check.update(chunk);
            yield chunk;
          }
        },
        target,
        { signal: request.signal },
      );
      return check.wrong().map(({ from, to, sha256 }) => ({
        what: `archive file "${object.name}", bytes ${from} to ${to}`,
        expected: `SHA-256 ${sha256}`,
        actual: 'another',
      }));
    } catch (error) {
      source.destroy();
      request.signal.throwIfAborted();
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOSPC') {
        throw noSpace(request.manifest, request.folder, object.bytes, 0, error);
      }
      if (attempt === ATTEMPTS) throw brokenOff(object, error);
    }
  }
}

function noSpace(manifest: BackupManifest, folder: string, needed: number, free: number, cause?: unknown): JobFailure {
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MiB`;
  return new JobFailure({
    code: 'drill.no_space',
    problem: `the archive of backup ${manifest.backupId} needs ${mebibytes(needed)} in "${folder}" but ${mebibytes(free)} are free there`,
    safeState: SAFE_STATE,
    hint: 'raise ephemeralStorageMiB of restoreDrill (10,240 at most), or drill a larger archive by hand as docs/restore.md says',
    cause,
  });
}

function brokenOff(object: ArchiveObject, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'object_store.failed',
    problem: `get "${object.key}" broke off ${ATTEMPTS} times: ${describeError(cause)}`,
    safeState: SAFE_STATE,
    hint: 'drill again; nothing is known about the backup by this',
    cause,
  });
}
