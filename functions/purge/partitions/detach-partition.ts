// Detaches a partition that is written down as planned: CONCURRENTLY, or where a DEFAULT partition forbids that, at once and for a
// moment. What a killed or cancelled run has left half detached is ended by FINALIZE.
import { limitSettings } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { FOREIGN_KEY_VIOLATION, sqlState } from '../../shared/postgres-errors.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { attemptStatement, isAboutLocks, pauseFor, pauseIfInTheWay, withAttempts } from './attempt-statement.ts';
import { recordPartition } from './partition-records.ts';
import { type DropWork, nameOf, type Partition, partitionLimits, type StepOutcome } from './partition-work.ts';
import { readTableNow, type TableNow } from './read-partitions.ts';

/** `done` when it is no partition any more, which is then recorded. */
export async function detachPartition(work: DropWork, partition: Partition, recordId: string): Promise<StepOutcome> {
  const outcome = await withAttempts(work, async () => {
    try {
      return await tryDetach(work, partition, recordId);
    } catch (error) {
      if (isAboutLocks(error))
        return pauseFor(`the detach of ${nameOf(partition)} was given up: ${describeError(error)}`);
      if (sqlState(error) !== FOREIGN_KEY_VIOLATION) throw error;
      return { state: 'kept', reason: `rows of it are referenced: ${describeError(error)}` };
    }
  });
  if (outcome.state !== 'done') return outcome;
  await recordPartition(work, recordId, 'detached');
  work.log.info('purge.partition_detached', { policy: work.policy.name, table: nameOf(partition) });
  return outcome;
}

async function tryDetach(work: DropWork, partition: Partition, recordId: string): Promise<StepOutcome> {
  const now = await readTableNow(work, partition.table_oid);
  if (now === undefined || now.parent_oid === null) return { state: 'done', rows: null };
  if (now.parent_oid !== work.table.table_oid) return { state: 'kept', reason: 'it was attached to another table' };
  if (now.is_pending) return await finalize(work, partition, now);
  return work.table.has_default ? await detachAtOnce(work, now, recordId) : await detachConcurrently(work, now);
}

function detachSql({ policy }: DropWork, now: TableNow, how: '' | 'concurrently' | 'finalize'): string {
  const parent = quoteQualified(policy.schema_name, policy.table_name);
  return `alter table ${parent} detach partition ${quoteQualified(now.schema_name, now.table_name)} ${how}`.trim();
}

async function detachConcurrently(work: DropWork, now: TableNow): Promise<StepOutcome> {
  const limits = {
    lockTimeoutMs: partitionLimits.concurrentLockTimeoutMs,
    statementTimeoutMs: partitionLimits.detachTimeoutMs,
  };
  const what = `the detach of ${nameOf(now)}`;
  const pause = await withLimits(
    work,
    limits,
    async () => await attemptStatement(work, detachSql(work, now, 'concurrently'), what),
  );
  return pause ?? { state: 'done', rows: null };
}

async function finalize(work: DropWork, partition: Partition, now: TableNow): Promise<StepOutcome> {
  const what = `the last step of the detach of ${nameOf(now)}`;
  const inTheWay = await pauseIfInTheWay(work, partition.table_oid, { snapshots: true, what });
  if (inTheWay !== undefined) return inTheWay;
  // It waits for one older snapshot after the other, each for as long as for a lock, and holds ACCESS EXCLUSIVE meanwhile.
  const limits = {
    lockTimeoutMs: partitionLimits.lockTimeoutMs,
    statementTimeoutMs: partitionLimits.lockTimeoutMs * 2,
  };
  const pause = await withLimits(
    work,
    limits,
    async () => await attemptStatement(work, detachSql(work, now, 'finalize'), what),
  );
  return pause ?? { state: 'done', rows: null };
}

/** In one transaction with its record. It locks the whole parent, so it may wait for 200 ms only. */
async function detachAtOnce(work: DropWork, now: TableNow, recordId: string): Promise<StepOutcome> {
  const { session } = work;
  await session.query('begin');
  try {
    const pause = await attemptStatement(work, detachSql(work, now, ''), `the detach of ${nameOf(now)}`);
    if (pause === undefined) {
      await recordPartition(work, recordId, 'detached');
      await session.query('commit');
      return { state: 'done', rows: null };
    }
    await session.query('rollback');
    return pause;
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** Gives the session other limits for one statement; those of before come back also when it fails. */
async function withLimits<T>(
  { session }: DropWork,
  limits: { lockTimeoutMs: number; statementTimeoutMs: number },
  use: () => Promise<T>,
): Promise<T> {
  const { rows } = await session.query<{ statement: string; lock: string }>(
    "select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock",
  );
  await session.query(limitSettings(limits));
  try {
    return await use();
  } finally {
    // A session that is lost cannot take them back; its next statement says so.
    await session
      .query("select set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false)", [
        rows[0]?.statement,
        rows[0]?.lock,
      ])
      .catch(() => {});
  }
}
