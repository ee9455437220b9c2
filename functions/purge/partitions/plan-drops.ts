// What a run would drop, for the dry run: looks only, takes no lock and writes nothing.
import { countKept } from './count-kept.ts';
import { findObstacle } from './find-obstacle.ts';
import { readOpenRecords } from './partition-records.ts';
import {
  type DropPartitionsResult,
  type DropWork,
  nameOf,
  type Partition,
  partitionResultOf,
} from './partition-work.ts';
import { listPartitions, readTableNow, requireOwner } from './read-partitions.ts';

/** All that are past retention, with what would keep some of them. */
export async function planDrops(work: DropWork): Promise<DropPartitionsResult> {
  const partitions: DropPartitionsResult['partitions'] = [];
  const held: string[] = [];
  for (const record of await readOpenRecords(work)) {
    const now = await readTableNow(work, record.table_oid);
    if (now === undefined || now.parent_oid !== null) continue;
    const reason = 'an earlier run has detached it; the next one drops it, unless a hold is on it';
    partitions.push(partitionResultOf(record, 'detached', { reason }));
  }
  for (const listed of await listPartitions(work)) {
    if (!listed.is_chosen) continue;
    requireOwner(work, listed);
    const partition: Partition = { ...listed, byte_count: listed.byte_count ?? 0 };
    const reason = (await findObstacle(work, partition)) ?? null;
    const { rows, isHeld } = await countKept(work, partition);
    if (isHeld) held.push(nameOf(partition));
    partitions.push(partitionResultOf(partition, reason === null ? 'planned' : 'kept', { rows, reason }));
  }
  return { partitions, held, warnings: work.warnings };
}
