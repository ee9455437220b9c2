// Reads an archive back whole and compares it with its manifest, without changing anything.
import type { Clock } from '../../shared/clock.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { ArchiveManifest } from './archive-manifest.ts';
import { readBack } from './read-back.ts';
import { readStoredManifest } from './stored-manifest.ts';

export interface CheckedArchive {
  readonly manifest: ArchiveManifest;
  /** Objects that are not what the manifest says, in its order; empty when all of it is whole. */
  readonly damaged: readonly { readonly key: string; readonly problem: string }[];
}

/** Throws `manifest.wrong` when there is no manifest that could be read, and when S3 does not give the bytes of an object. */
export async function checkArchive(
  store: ObjectStore,
  manifestKey: string,
  { clock, signal, onBytes = () => {} }: { clock: Clock; signal: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<CheckedArchive> {
  const manifest = await readStoredManifest(store, manifestKey);
  if (manifest === undefined) {
    throw new JobFailure({
      code: 'manifest.wrong',
      problem: `there is no "${manifestKey}" in bucket "${store.bucket}"`,
      safeState: 'Nothing was read or changed',
      hint: 'list what lies below purge-archive/: a series that archived no row has no manifest',
    });
  }
  const damaged: { key: string; problem: string }[] = [];
  for (const { objects, columns } of manifest.tables) {
    for (const object of objects) {
      const problem = await readBack({ store, clock, signal, onBytes }, object, columns.length);
      if (problem !== undefined) damaged.push({ key: object.key, problem });
    }
  }
  return { manifest, damaged };
}
