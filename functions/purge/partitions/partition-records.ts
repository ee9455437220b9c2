// The rows of nightshift.purge_partition: what is under way on a partition, for the next run when this one is killed.

import { readSqlFile } from '../../shared/sql-files.ts';
import type { PartitionResult } from '../contract.ts';
import type { DropWork, Partition } from './partition-work.ts';

export interface PartitionRecord extends Partition {
  readonly record_id: string;
  readonly state: 'planned' | 'detached' | 'kept';
}

type RecordContext = Pick<DropWork, 'session' | 'policy' | 'seriesId'>;

/** What earlier runs have left under way, oldest first. */
export async function readOpenRecords({ session, policy }: RecordContext): Promise<PartitionRecord[]> {
  const { rows } = await session.query<PartitionRecord & Record<string, unknown>>(
    readSqlFile('purge/open-partitions.sql'),
    [policy.name, policy.schema_name, policy.table_name],
  );
  return rows;
}

/** Writes down what will be done, before it is done; the id of the record. */
export async function planPartition(
  { session, policy, seriesId }: RecordContext,
  partition: Partition,
): Promise<string> {
  const { rows } = await session.query<{ record_id: string }>(readSqlFile('purge/plan-partition.sql'), [
    policy.name,
    seriesId,
    policy.schema_name,
    policy.table_name,
    partition.schema_name,
    partition.table_name,
    partition.table_oid,
    partition.bounds,
    partition.byte_count,
  ]);
  const [row] = rows;
  if (row === undefined) throw new RangeError('the server answered without the id of the record');
  return row.record_id;
}

/** Moves a record on. */
export async function recordPartition(
  { session, seriesId }: Pick<DropWork, 'session' | 'seriesId'>,
  recordId: string,
  state: PartitionResult['state'],
  rows: number | null = null,
): Promise<void> {
  const { rowCount } = await session.query(readSqlFile('purge/record-partition.sql'), [
    recordId,
    state,
    seriesId,
    rows,
  ]);
  // In the transaction of a drop it takes the drop back.
  if (rowCount !== 1) throw new RangeError(`there is no record ${recordId} of a partition`);
}
