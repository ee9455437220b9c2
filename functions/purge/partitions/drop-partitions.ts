// Carries out a policy whose action is drop_partition: ends what earlier runs have left under way, then detaches and drops the
// partitions that are past retention as a whole, oldest first. Called by purge; creates nothing.
import { describeHolders, tryAdvisoryLock } from '../../shared/advisory-lock.ts';
import { asJobFailure } from '../../shared/database-errors.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { PartitionResult } from '../contract.ts';
import { isAboutLocks } from './attempt-statement.ts';
import { carryOutPartition, type PartitionEnd } from './carry-out-partition.ts';
import { type PartitionRecord, readOpenRecords, recordPartition } from './partition-records.ts';
import {
  type DropDependencies,
  type DropPartitionsResult,
  type DropWork,
  LOOK_AGAIN_SECONDS,
  type Partition,
  type Pause,
  partitionLimits,
  partitionResultOf,
} from './partition-work.ts';
import { planDrops } from './plan-drops.ts';
import { listPartitions, readPartitionedTable, requireOwner } from './read-partitions.ts';
import { resumeRecord } from './resume-record.ts';

const PAUSED_BEFORE = 'the run paused before it';
const SAFE_STATE = 'Partitions that were dropped stay dropped; one that is detached is dropped by the next run';

/**
 * Drops what is past retention, or tells what it would drop.
 *
 * Throws `purge.refused` when the policy cannot be carried out, before anything is done. A run that is killed at any moment is
 * taken up by the next one, which looks at nightshift.purge_partition and at the catalog.
 */
export async function dropPartitions(deps: DropDependencies): Promise<DropPartitionsResult> {
  const { session, policy } = deps;
  requireComplete(deps);
  await session.query(readSqlFile('purge/session.sql'));
  const work: DropWork = { ...deps, table: await readPartitionedTable(deps), warnings: [] };
  if (deps.dryRun) return await planDrops(work);
  const { rows } = await session.query<{ before: string }>("select current_setting('lock_timeout') as before");
  await session.query(`set lock_timeout = ${partitionLimits.lockTimeoutMs}`);
  try {
    return await dropAll(work);
  } catch (error) {
    throw asJobFailure(error, { during: `the drop of partitions of policy "${policy.name}"`, safeState: SAFE_STATE });
  } finally {
    // A session that is lost cannot take it back; its next statement says so.
    await session.query("select set_config('lock_timeout', $1, false)", [rows[0]?.before]).catch(() => {});
  }
}

function requireComplete({ policy, dryRun, archive }: DropDependencies): void {
  const refuse = (problem: string, hint: string) =>
    new JobFailure({
      code: 'purge.refused',
      problem: `policy "${policy.name}": ${problem}`,
      safeState: 'No partition was detached or dropped',
      hint,
    });
  if (policy.keep_partitions === null || policy.keep_partitions < 1) {
    throw refuse(
      `keep_partitions is ${policy.keep_partitions ?? 'missing'}; it must be 1 or more`,
      'correct the policy by a migration',
    );
  }
  if (!dryRun && policy.archive_before_delete && archive === undefined) {
    throw refuse('its rows are to be archived first, and there is no place for an archive', 'set the bucket of purge');
  }
}

async function dropAll(work: DropWork): Promise<DropPartitionsResult> {
  const ended: Ended = { partitions: [], held: [] };
  const { warnings } = work;
  try {
    const pause = await endAndDrop(work, ended);
    return { ...ended, ...(pause && { pause }), warnings };
  } catch (error) {
    // Of what only looks: the size, the rows or the references of a table that somebody has locked.
    if (!isAboutLocks(error)) throw error;
    const reason = `policy "${work.policy.name}" waits for a lock: ${describeError(error)}`;
    return { ...ended, pause: { reason, seconds: LOOK_AGAIN_SECONDS.transaction }, warnings };
  }
}

type Ended = Pick<DropPartitionsResult, 'partitions' | 'held'>;

function add({ partitions, held }: Ended, { result, isHeld }: PartitionEnd): void {
  partitions.push(result);
  if (isHeld === true) held.push(result.table);
}

/** The results are added to `ended` as they come. */
async function endAndDrop(work: DropWork, ended: Ended): Promise<Pause | undefined> {
  /** Planned and not begun: the choice of now decides. */
  const planned = new Map<number, PartitionRecord>();
  for (const record of await readOpenRecords(work)) {
    if (work.signal.aborted) return undefined;
    const state = record.state === 'kept' ? 'detached' : record.state;
    const end = await underSchemaLock(work, record, state, async () => await resumeRecord(work, record));
    if (end === undefined) planned.set(record.table_oid, record);
    else add(ended, end);
    if (end?.pause) return end.pause;
  }
  return await dropChosen(work, planned, ended);
}

async function dropChosen(
  work: DropWork,
  planned: Map<number, PartitionRecord>,
  ended: Ended,
): Promise<Pause | undefined> {
  const chosen = (await listPartitions(work)).filter(({ is_chosen }) => is_chosen);
  for (const listed of chosen) requireOwner(work, listed);
  const chosenOids = new Set(chosen.map(({ table_oid }) => table_oid));
  for (const { table_oid, record_id } of planned.values()) {
    if (!chosenOids.has(table_oid)) await recordPartition(work, record_id, 'kept');
  }
  let pause: Pause | undefined;
  for (const listed of chosen) {
    const partition: Partition = { ...listed, byte_count: listed.byte_count ?? 0 };
    if (pause !== undefined || work.signal.aborted) {
      const reason = pause === undefined ? 'the time of the run was over' : PAUSED_BEFORE;
      add(ended, { result: partitionResultOf(partition, 'planned', { reason }) });
      continue;
    }
    const recordId = planned.get(partition.table_oid)?.record_id;
    const end = await underSchemaLock(
      work,
      partition,
      'planned',
      async () => await carryOutPartition(work, partition, recordId),
    );
    add(ended, end);
    pause = end.pause;
  }
  return pause;
}

/** One partition at a time: a backup or a migration that waits for the lock comes in between. */
async function underSchemaLock<End extends PartitionEnd | undefined>(
  { session, policy }: DropWork,
  partition: Partition,
  state: PartitionResult['state'],
  use: () => Promise<End>,
): Promise<End | PartitionEnd> {
  const lock = await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive');
  if (!lock.held) {
    const reason = `policy "${policy.name}" waits for the lock "nightshift:schema", which ${describeHolders(lock.holders)}`;
    return {
      result: partitionResultOf(partition, state, { reason: PAUSED_BEFORE }),
      pause: { reason, seconds: LOOK_AGAIN_SECONDS.schemaLock },
    };
  }
  try {
    return await use();
  } finally {
    // When the session is lost, so is the lock; the error that told of it must not be hidden.
    await lock.unlock().catch(() => {});
  }
}
