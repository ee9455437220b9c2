// Cuts tables into ranges of heap blocks and reserves the part numbers of their uploads. Pure: sizes in, plan out.
import { JobFailure } from '../../shared/job-failure.ts';
import type { PlannedRange } from './plan-contract.ts';

const MIB = 1_048_576;
/** S3: part numbers go from 1 to 10,000. */
const PART_NUMBERS = 10_000;
/** Parts that a table of the worst case would need; the rest is slack for ranges that hold more than their share. */
const PARTS_OF_WORST_CASE = 9_000;
/** S3's least. Every worker fills two parts and some are on their way: larger ones would only take memory. */
const LEAST_PART_BYTES = 5 * MIB;
/** Stored rows can grow on their way: a bytea doubles as hex before gzip halves it again, TOAST is decompressed. */
const WORST_GROWTH = 2;
/** Smaller ranges cost more in requests and padding than a better balance brings. */
const LEAST_RANGE_BYTES = 32 * MIB;
/** 4 minutes at 20 MB/s: a worker of 15 minutes makes several, and loses little when it dies. */
const MOST_RANGE_BYTES = 4_800_000_000;
/** Ranges for each worker, so that the last one to end keeps the others waiting for a short time only. */
const RANGES_PER_WORKER = 4;

export interface TableSize {
  schema: string;
  name: string;
  /** Heap and TOAST. */
  bytes: number;
  blocks: number;
  /** False where the rows cannot be parted: another access method than heap, or the filter of an extension. */
  isDivisible: boolean;
}

/** Bytes of a range that keep `workers` evenly busy: from 32 MiB to 4.8 GB. */
export function rangeBytes(totalBytes: number, workers: number): number {
  const even = Math.ceil(totalBytes / (workers * RANGES_PER_WORKER));
  return Math.min(MOST_RANGE_BYTES, Math.max(LEAST_RANGE_BYTES, even));
}

/** Size of the parts of a table's upload: 5 MiB, more for a table whose worst case needs more than 9,000 of them. */
export function partBytesOf(table: Pick<TableSize, 'bytes'>): number {
  return Math.max(LEAST_PART_BYTES, Math.ceil((table.bytes * WORST_GROWTH) / PARTS_OF_WORST_CASE));
}

/**
 * The ranges of a table in the order of its blocks, with an equal share of the part numbers each.
 *
 * The last one is open-ended: a block that is added now holds no row that the snapshot sees, but none may be missed.
 */
export function planRanges(table: TableSize, targetBytes: number): PlannedRange[] {
  const wanted = table.isDivisible ? Math.max(1, Math.ceil(table.bytes / targetBytes)) : 1;
  const count = Math.max(1, Math.min(wanted, table.blocks, PART_NUMBERS));
  const parts = Math.floor(PART_NUMBERS / count);
  const firstBlock = (range: number) => Math.floor((table.blocks * range) / count);
  return Array.from({ length: count }, (_, range) => ({
    blocks: [firstBlock(range), range === count - 1 ? null : firstBlock(range + 1)],
    firstPart: 1 + range * parts,
    parts,
    estimatedBytes: Math.ceil(table.bytes / count),
  }));
}

/**
 * The two halves of a range that a worker could not make in its time, with half of its part numbers each.
 *
 * `tableBlocks` tells where an open-ended range ends by now. Undefined when it has only one block or one part number.
 */
export function splitRange(range: PlannedRange, tableBlocks: number): [PlannedRange, PlannedRange] | undefined {
  const [from, to] = range.blocks;
  const middle = from + Math.floor(((to ?? tableBlocks) - from) / 2);
  const parts = Math.floor(range.parts / 2);
  if (middle <= from || parts < 1) return undefined;
  const estimatedBytes = Math.ceil(range.estimatedBytes / 2);
  return [
    { blocks: [from, middle], firstPart: range.firstPart, parts, estimatedBytes },
    { blocks: [middle, to], firstPart: range.firstPart + parts, parts: range.parts - parts, estimatedBytes },
  ];
}

/** Memory that the process itself takes: Node, the SDK, compression (measured: bench of the backup). */
const BASE_MEMORY_BYTES = 160 * MIB;

/**
 * Throws `backup.table_too_large` before any data is read when the parts of a table would not fit into memory.
 *
 * `memoryMiB` is the function's; undefined (outside Lambda) allows anything.
 */
export function refuseTooLargeTables(
  tables: readonly TableSize[],
  limits: { memoryMiB: number | undefined; workers: number },
): void {
  for (const table of tables) {
    const partBytes = partBytesOf(table);
    // Every worker fills a part, and at least one part is on its way.
    const needed = BASE_MEMORY_BYTES + (limits.workers + 1) * partBytes;
    const neededMiB = Math.ceil(needed / MIB);
    if (limits.memoryMiB === undefined || neededMiB <= limits.memoryMiB) continue;
    throw new JobFailure({
      code: 'backup.table_too_large',
      problem: `table "${table.schema}"."${table.name}" of ${Math.round(table.bytes / 2 ** 30)} GiB needs parts of ${Math.ceil(partBytes / MIB)} MiB, and with them ${neededMiB} MiB of memory, but the function has ${limits.memoryMiB} MiB`,
      safeState: 'No row was read and no backup was recorded',
      hint: `set memoryMiB of backup to ${neededMiB} or more in nightshift.config.ts and deploy`,
    });
  }
}
