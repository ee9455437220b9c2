// Where everything of one bucket lies: the plain objects under the bucket's name, all the rest in the hidden side folder.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface StorePaths {
  /** Holds each current object as a plain file. */
  readonly objects: string;
  /** The side folder of the bucket. */
  readonly side: string;
  /** One JSON record per key. */
  readonly records: string;
  /** Bytes of older versions and of keys that cannot be plain files. */
  readonly data: string;
  /** Bodies on their way in; emptied at start. */
  readonly incoming: string;
  readonly uploads: string;
  readonly settings: string;
}

/** The name of the side folder; no bucket may begin with a dot. */
export const sideFolder = '.meta';

/** The places of a bucket inside the store's directory. */
export function storePaths(directory: string, bucket: string): StorePaths {
  const side = join(directory, sideFolder, bucket);
  return {
    objects: join(directory, bucket),
    side,
    records: join(side, 'keys'),
    data: join(side, 'data'),
    incoming: join(side, 'incoming'),
    uploads: join(side, 'uploads'),
    settings: join(side, 'bucket.json'),
  };
}

/** Makes the folders of a bucket where they are missing. */
export async function makeFolders(paths: StorePaths): Promise<void> {
  for (const folder of [paths.objects, paths.records, paths.data, paths.incoming, paths.uploads]) {
    await mkdir(folder, { recursive: true });
  }
}

/** The record file of a key: a hash, so that no key can name another file. */
export function recordFile(paths: StorePaths, key: string): string {
  return join(paths.records, `${createHash('sha256').update(key).digest('hex')}.json`);
}
