// Packs ranges and large objects into groups of about equal size: one copy step makes one group. Pure.
import type { BackupPlan, PlannedLargeObjects, WorkItem } from './plan-contract.ts';

/** Distributed Map gets the numbers as its state input, which is limited; more would also be more starts than work. */
const MOST_GROUPS = 1_000;
/** What an object costs besides its bytes, in bytes: a lock, a statement and a request take about 20 ms. */
const BYTES_PER_RANGE = 400_000;
const BYTES_PER_LARGE_OBJECT = 100_000;
/** Large objects that one worker stores one after the other. */
const BATCH_BYTES = 256 * 1_048_576;

interface Sized {
  item: WorkItem;
  bytes: number;
}

/** Large objects in batches of about 256 MiB, in order of OID; a larger one is a batch of its own. */
export function batchLargeObjects(objects: readonly { oid: number; bytes: number }[]): PlannedLargeObjects[] {
  const batches: PlannedLargeObjects[] = [];
  let current: PlannedLargeObjects = { oids: [], estimatedBytes: 0 };
  for (const { oid, bytes } of objects.toSorted((a, b) => a.oid - b.oid)) {
    const cost = bytes + BYTES_PER_LARGE_OBJECT;
    if (current.oids.length > 0 && current.estimatedBytes + cost > BATCH_BYTES) {
      batches.push(current);
      current = { oids: [], estimatedBytes: 0 };
    }
    current.oids.push(oid);
    current.estimatedBytes += cost;
  }
  return current.oids.length === 0 ? batches : [...batches, current];
}

/** All the work of a plan, largest first: who starts the largest last keeps everybody waiting for it. */
export function workLargestFirst(plan: Pick<BackupPlan, 'tables' | 'largeObjects'>): Sized[] {
  const ranges = plan.tables.flatMap(({ dumpId, ranges: all }) =>
    all.map((range) => ({ item: { dumpId, range }, bytes: range.estimatedBytes + BYTES_PER_RANGE })),
  );
  const batches = plan.largeObjects.map(({ estimatedBytes }, index) => ({
    item: { largeObjects: index },
    bytes: estimatedBytes,
  }));
  return [...ranges, ...batches].toSorted((a, b) => b.bytes - a.bytes);
}

/** Groups of about `targetBytes`, the largest work first; at most 1,000, which then are larger. */
export function planGroups(work: readonly Sized[], targetBytes: number): WorkItem[][] {
  const total = work.reduce((sum, { bytes }) => sum + bytes, 0);
  const target = Math.max(targetBytes, Math.ceil((total * 1.1) / MOST_GROUPS));
  const groups: { items: WorkItem[]; bytes: number }[] = [];
  let open: { items: WorkItem[]; bytes: number } | undefined;
  for (const { item, bytes } of work) {
    if (open === undefined || (open.bytes + bytes > target && groups.length < MOST_GROUPS)) {
      open = { items: [], bytes: 0 };
      groups.push(open);
    }
    open.items.push(item);
    open.bytes += bytes;
  }
  return groups.map(({ items }) => items);
}
