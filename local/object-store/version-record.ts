// What the store remembers of a key and its versions; kept as one JSON file per key beside the plain bytes.
import { open, rename } from 'node:fs/promises';
import type { ChecksumAlgorithm } from './create-checksum.ts';

export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** ISO instant. */
  readonly until: string;
}

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; of a composite checksum with `-<parts>` behind it. */
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** What a new object brings along; the store adds version id and time. */
export interface ObjectDraft {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Headers that go back out with the object: content type, encryption, user metadata … */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: StoredChecksum | undefined;
  readonly retention?: Retention | undefined;
}

export interface ObjectVersion extends ObjectDraft {
  readonly kind: 'object';
  /** `null` (the text) in a bucket without versions. */
  readonly versionId: string;
  readonly dataId: string;
  /** ISO instant. */
  readonly lastModified: string;
}

export interface DeleteMarker {
  readonly kind: 'delete marker';
  readonly versionId: string;
  readonly lastModified: string;
}

export type VersionRecord = ObjectVersion | DeleteMarker;

export interface KeyRecord {
  readonly key: string;
  /** True when the current bytes lie at `<bucket>/<key>`, false when they lie in the side folder or nowhere. */
  readonly plain: boolean;
  /** Newest first; empty only between the two steps of a removal. */
  readonly versions: readonly VersionRecord[];
}

/** The newest version when it is an object, undefined when the key is absent or deleted. */
export function currentObject(record: KeyRecord | undefined): ObjectVersion | undefined {
  const newest = record?.versions[0];
  return newest?.kind === 'object' ? newest : undefined;
}

/** The name under which unfinished JSON files lie; they are removed at start. */
export const unfinished = '.new';

/** Replaces a JSON file in one step, so that a killed process leaves the old or the new content, never a part. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const temporary = `${file}${unfinished}`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(JSON.stringify(value));
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
