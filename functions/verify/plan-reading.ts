// Divides the reading of a backup: into items, of which a sample takes some, and into groups of about equal work. Pure.
// The order of the items follows from the manifest alone, so every step of a verification counts them alike.
import * as z from 'zod';
import { type BackupFiles, backupFiles, type ManifestTable, type StoredLargeObject } from '../shared/backup-files.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { type Sample, sampleSchema } from '../shared/verification.ts';

export type ReadItem =
  | {
      readonly table: ManifestTable;
      /** In the manifest, which may be damaged: its numbers of entries could be there twice. */
      readonly tableIndex: number;
      readonly range: number;
      readonly largeObject?: undefined;
    }
  | { readonly largeObject: StoredLargeObject; readonly table?: undefined };

/** What a verification by steps is to read: `[from, to)` of the items for each group. Group 0 looks at the rest, too. */
export const readPlanSchema = z.strictObject({
  planVersion: z.literal(1),
  verificationId: z.string(),
  backupId: z.string(),
  sample: sampleSchema.nullable(),
  groups: z
    .array(z.tuple([z.int().min(0), z.int().min(0)]))
    .min(1)
    .max(1_000),
});

export type ReadPlan = z.output<typeof readPlanSchema>;

/** About 4 minutes at 20 MB/s, the least that a function reads, decodes and digests. */
const GROUP_BYTES = 4_800_000_000;
/** A Distributed Map takes its items from a state of at most 256 KiB. */
const MOST_GROUPS = 1_000;
/** What a request costs besides its bytes: about 50 ms. */
const REQUEST_BYTES = 1_000_000;

/** The ranges in the order of the manifest, then the large objects by OID; of a sample, every `of`-th of them. */
export function readItems(
  manifest: BackupManifest,
  sample: Sample | null,
  { largeObjects }: Pick<BackupFiles, 'largeObjects'> = backupFiles(manifest),
): ReadItem[] {
  const all: ReadItem[] = [
    ...manifest.tables.flatMap((table, tableIndex) => table.ranges.map((_, range) => ({ table, tableIndex, range }))),
    ...largeObjects.map((largeObject) => ({ largeObject })),
  ];
  return sample === null ? all : all.filter((_, index) => index % sample.of === sample.number - 1);
}

/** Stored bytes of an item. */
export function storedBytes(item: ReadItem): number {
  return item.largeObject === undefined ? (item.table.ranges[item.range]?.length ?? 0) : item.largeObject.object.bytes;
}

/**
 * Runs of items with about equal work: as few as keep below about GROUP_BYTES, but `atLeast` that many, so that all steps
 * that may run at the same time have work; 1 to 1,000 of them.
 */
export function divideIntoGroups(items: readonly ReadItem[], atLeast: number): [number, number][] {
  const weights = items.map((item) => storedBytes(item) + REQUEST_BYTES);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const wanted = Math.min(MOST_GROUPS, Math.max(1, atLeast, Math.ceil(total / GROUP_BYTES)));
  const groups: [number, number][] = [];
  let before = 0;
  let from = 0;
  let current = 0;
  weights.forEach((weight, index) => {
    // By its middle, so that no item is more than half in the next share.
    const share = Math.floor(((before + weight / 2) * wanted) / total);
    if (share !== current && index > from) {
      groups.push([from, index]);
      from = index;
    }
    current = share;
    before += weight;
  });
  groups.push([from, items.length]);
  return groups;
}
