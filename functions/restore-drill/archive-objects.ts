// What the manifest says about the objects of the archive: their files, sizes and checksums. Pure.
import { createHash } from 'node:crypto';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';

/** Bytes of an object with their SHA-256: from (inclusive) to (exclusive). */
interface CheckedRange {
  from: number;
  to: number;
  sha256: string;
}

export interface ArchiveObject {
  key: string;
  /** Name of the file in the directory archive, without a folder. */
  name: string;
  bytes: number;
  /** In order, without overlap: the whole object, or the ranges of a table; the tail behind them has no checksum. */
  ranges: readonly CheckedRange[];
}

const FILE_NAME = /^\w[\w.]*$/;

/** The objects of the archive, in the order of the manifest; throws `manifest.wrong` for one that nothing can check. */
export function archiveObjects(manifest: BackupManifest): ArchiveObject[] {
  const { archive, manifest: manifestKey } = backupKeys(manifest.database, manifest.backupId);
  const tables = new Map(manifest.tables.map((table) => [table.key, table]));
  return manifest.objects
    .filter(({ key }) => key.startsWith(archive))
    .map(({ key, bytes, sha256 }) => {
      const name = key.slice(archive.length);
      const ranges =
        sha256 === null
          ? (tables.get(key)?.ranges ?? []).map((range) => ({
              from: range.offset,
              to: range.offset + range.length,
              sha256: range.sha256,
            }))
          : [{ from: 0, to: bytes, sha256 }];
      if (!FILE_NAME.test(name) || ranges.length === 0) {
        throw new JobFailure({
          code: 'manifest.wrong',
          problem: `manifest "${manifestKey}" cannot be used: ${FILE_NAME.test(name) ? `object "${key}" has neither a SHA-256 nor ranges` : `"${name}" is no file name of a directory archive`}`,
          safeState: 'Nothing was restored',
          hint: 'look at the object in S3; make a new backup',
        });
      }
      return { key, name, bytes, ranges };
    });
}

export interface RangeCheck {
  update(chunk: Buffer): void;
  /** The ranges that were not what they should be, when all bytes were seen. */
  wrong(): CheckedRange[];
}

/** Checks the ranges of one object while its bytes go by, once, in order. */
export function createRangeCheck(ranges: readonly CheckedRange[]): RangeCheck {
  const wrong: CheckedRange[] = [];
  let index = 0;
  let at = 0;
  let hash = createHash('sha256');
  return {
    update: (chunk) => {
      let from = 0;
      for (let range = ranges[index]; range !== undefined && from < chunk.length; range = ranges[index]) {
        const start = Math.max(from, range.from - at);
        const end = Math.min(chunk.length, range.to - at);
        if (start < end) hash.update(chunk.subarray(start, end));
        if (at + chunk.length < range.to) break;
        if (hash.digest('hex') !== range.sha256) wrong.push(range);
        hash = createHash('sha256');
        index += 1;
        from = Math.max(from, end);
      }
      at += chunk.length;
    },
    // A range that the object is too short for was never finished.
    wrong: () => [...wrong, ...ranges.slice(index)],
  };
}
