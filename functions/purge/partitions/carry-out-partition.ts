// The steps on one partition, each behind a record that the next run finds: planned, detached, dropped; or kept.
import { quoteQualified } from '../../shared/quote-identifier.ts';
import type { PartitionResult } from '../contract.ts';
import { countKept } from './count-kept.ts';
import { detachPartition } from './detach-partition.ts';
import { dropDetached } from './drop-detached.ts';
import { findObstacle } from './find-obstacle.ts';
import { planPartition, recordPartition } from './partition-records.ts';
import { type DropWork, nameOf, type Partition, type Pause, partitionResultOf } from './partition-work.ts';
import { isPast, listPartitions, readTableNow } from './read-partitions.ts';

/** The result of one partition; with a pause the run goes on with no other. */
export interface PartitionEnd {
  readonly result: PartitionResult;
  /** It is kept, and a legal hold is on it or on a row in it. */
  readonly isHeld?: boolean;
  readonly pause?: Pause;
}

/** From the beginning; `recordId` is that of an earlier run which has planned it and done nothing. */
export async function carryOutPartition(
  work: DropWork,
  partition: Partition,
  recordId: string | undefined,
): Promise<PartitionEnd> {
  const obstacle = (await findChange(work, partition)) ?? (await findObstacle(work, partition));
  if (obstacle === undefined) return await detachAndDrop(work, partition, await planPartition(work, partition));
  if (recordId !== undefined) await recordPartition(work, recordId, 'kept');
  return await keep(work, partition, obstacle);
}

/** It was chosen before the lock of the schema was held: a migration may have been in between. */
async function findChange(work: DropWork, { table_oid, bounds }: Partition): Promise<string | undefined> {
  const now = (await listPartitions(work)).find((listed) => listed.table_oid === table_oid);
  return now?.is_chosen === true && now.bounds === bounds ? undefined : 'it was changed a moment ago';
}

/** Of one that is planned, or half detached. */
export async function detachAndDrop(work: DropWork, partition: Partition, recordId: string): Promise<PartitionEnd> {
  const detached = await detachPartition(work, partition, recordId);
  if (detached.state === 'done') return await dropOrKeep(work, partition, recordId);
  if (detached.state === 'kept') {
    await recordPartition(work, recordId, 'kept');
    return await keep(work, partition, detached.reason);
  }
  const { pause } = detached;
  if ((await readTableNow(work, partition.table_oid))?.is_pending === true) {
    const parent = nameOf(work.policy);
    work.warnings.push(
      `${nameOf(partition)} is half detached: ${parent} does not show its rows any more; the next run ends it`,
    );
  }
  return { result: partitionResultOf(partition, 'planned', { reason: pause.reason }), pause };
}

/** Of a table that is detached. */
export async function dropOrKeep(work: DropWork, partition: Partition, recordId: string): Promise<PartitionEnd> {
  // It may have been planned days ago, under another retention period.
  if (!(await isPast(work, partition))) {
    const reason = 'the policy was changed, and its rows are not past retention any more';
    return await keepDetached(work, partition, recordId, reason);
  }
  const dropped = await dropDetached(work, partition, recordId);
  if (dropped.state === 'done') return { result: partitionResultOf(partition, 'dropped', { rows: dropped.rows }) };
  if (dropped.state === 'kept') return await keepDetached(work, partition, recordId, dropped.reason);
  const { pause } = dropped;
  return { result: partitionResultOf(partition, 'detached', { reason: pause.reason }), pause };
}

/** A detached table that may not be dropped stays where it is: only a person can tell whether its rows are to be seen again. */
export async function keepDetached(
  work: DropWork,
  partition: Partition,
  recordId: string,
  reason: string,
): Promise<PartitionEnd> {
  await recordPartition(work, recordId, 'kept');
  const { policy, warnings } = work;
  const parent = quoteQualified(policy.schema_name, policy.table_name);
  const attach = `alter table ${parent} attach partition ${quoteQualified(partition.schema_name, partition.table_name)} ${partition.bounds};`;
  warnings.push(`${nameOf(partition)} is detached and not dropped, because ${reason}; to attach it again: ${attach}`);
  return await keep(work, partition, reason);
}

/** Its rows are counted: what is past retention and still there must not look as if it were gone. */
async function keep(work: DropWork, partition: Partition, reason: string): Promise<PartitionEnd> {
  work.log.warn('purge.partition_kept', { policy: work.policy.name, table: nameOf(partition), problem: reason });
  const { rows, isHeld } = await countKept(work, partition);
  return { result: partitionResultOf(partition, 'kept', { rows, reason }), isHeld };
}
