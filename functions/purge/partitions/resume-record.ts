// Goes on with what an earlier run has left under way: the record says what was meant, the catalog what has become of it. A table
// is known by its oid; one that has only its name is another one.
import { detachAndDrop, dropOrKeep, keepDetached, type PartitionEnd } from './carry-out-partition.ts';
import { type PartitionRecord, recordPartition } from './partition-records.ts';
import { type DropWork, nameOf, type Partition, partitionResultOf } from './partition-work.ts';
import { readTableNow, requireOwner } from './read-partitions.ts';

/** Undefined when the partition is attached as ever: then the choice of this run decides about it. */
export async function resumeRecord(work: DropWork, record: PartitionRecord): Promise<PartitionEnd | undefined> {
  const { warnings, table } = work;
  const now = await readTableNow(work, record.table_oid);
  if (now === undefined) {
    const reason = 'somebody else has dropped it';
    await recordPartition(work, record.record_id, 'dropped');
    warnings.push(`${nameOf(record)} is gone: ${reason}`);
    return { result: partitionResultOf(record, 'dropped', { reason }) };
  }
  const partition: Partition = { ...record, schema_name: now.schema_name, table_name: now.table_name };
  if (now.parent_oid === table.table_oid && !now.is_pending) return undefined;
  if (record.state === 'kept' && !now.is_owner) {
    // Somebody has taken it over since; that must not stop the policy.
    return await keepDetached(work, partition, record.record_id, `it belongs to "${now.owner}" now`);
  }
  requireOwner(work, now);
  if (now.parent_oid === table.table_oid) return await detachAndDrop(work, partition, record.record_id);
  if (now.parent_oid !== null) {
    const reason = 'it was attached to another table';
    await recordPartition(work, record.record_id, 'kept');
    warnings.push(`${nameOf(partition)} is kept: ${reason}`);
    return { result: partitionResultOf(partition, 'kept', { reason }) };
  }
  if (record.state === 'planned') await recordPartition(work, record.record_id, 'detached');
  if (nameOf(record) === nameOf(partition)) return await dropOrKeep(work, partition, record.record_id);
  const reason = `it was called ${nameOf(record)} when it was detached`;
  return await keepDetached(work, partition, record.record_id, reason);
}
