// What a partition that stays has still in it, and whether a legal hold is why.
import { INSUFFICIENT_PRIVILEGE, sqlState } from '../../shared/postgres-errors.ts';
import type { PartitionResult } from '../contract.ts';
import { inTransaction } from '../in-transaction.ts';
import { findHeld } from './find-held.ts';
import { type DropWork, type Partition, partitionLimits } from './partition-work.ts';
import { countPartition } from './read-partitions.ts';

export interface Kept {
  /** Null when it cannot be told, as of a table that somebody has taken over. */
  readonly rows: number | null;
  readonly isHeld: boolean;
}

export async function countKept(work: DropWork, partition: Partition): Promise<Kept> {
  const { session, table } = work;
  try {
    const held = await inTransaction(
      session,
      'begin read only',
      async () => await findHeld(session, partition, table.table_oid),
    );
    return { rows: await countPartition(work, partition, partitionLimits.exactCountBytes), isHeld: held !== undefined };
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    return { rows: null, isHeld: false };
  }
}

/** Rows that are past retention and still there; a partition whose rows cannot be told counts as one row, never as none. */
export function rowsOf(partitions: readonly Pick<PartitionResult, 'rows'>[]): number {
  return partitions.reduce((sum, { rows }) => sum + (rows ?? 1), 0);
}
