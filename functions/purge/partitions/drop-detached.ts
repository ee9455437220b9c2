// Drops a table that was detached: in one transaction with its record, after its rows are archived where the policy wants that, and
// after the holds were looked at once more under their lock. Never CASCADE.
import { describeError } from '../../shared/job-failure.ts';
import { DEPENDENT_OBJECTS_STILL_EXIST, sqlState } from '../../shared/postgres-errors.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { inTransaction } from '../in-transaction.ts';
import { attemptStatement, isAboutLocks, pauseFor, pauseIfInTheWay, withAttempts } from './attempt-statement.ts';
import { findHeld } from './find-held.ts';
import { recordPartition } from './partition-records.ts';
import { type DropWork, nameOf, type Partition, partitionLimits, type StepOutcome } from './partition-work.ts';
import { countPartition, readTableNow } from './read-partitions.ts';

const DONE: StepOutcome = { state: 'done', rows: null };

/** Undoes what the transaction has done, with an outcome instead of an error. */
class Undone extends Error {
  readonly outcome: StepOutcome;

  constructor(outcome: StepOutcome) {
    super('the drop was undone');
    this.name = 'Undone';
    this.outcome = outcome;
  }
}

/** `done` with its rows when it is dropped; after anything else it is there as before. */
export async function dropDetached(work: DropWork, partition: Partition, recordId: string): Promise<StepOutcome> {
  const what = `the drop of ${nameOf(partition)}`;
  const free = await withAttempts(
    work,
    async () => (await pauseIfInTheWay(work, partition.table_oid, { snapshots: false, what })) ?? DONE,
  );
  if (free.state !== 'done') return free;
  try {
    const rows = await inTransaction(
      work.session,
      'begin',
      async () => await dropInTransaction(work, partition, recordId),
    );
    work.log.info('purge.partition_dropped', {
      policy: work.policy.name,
      table: nameOf(partition),
      rows,
      bytes: partition.byte_count,
    });
    return { state: 'done', rows };
  } catch (error) {
    if (error instanceof Undone) return error.outcome;
    if (isAboutLocks(error)) return pauseFor(`${what} was given up: ${describeError(error)}`);
    throw error;
  }
}

/** Its rows, or throws Undone. */
async function dropInTransaction(work: DropWork, partition: Partition, recordId: string): Promise<number | null> {
  const { session, policy } = work;
  const { schema_name: schema, table_name } = partition;
  const name = quoteQualified(schema, table_name);
  const what = `the drop of ${nameOf(partition)}`;
  // Each look at the holds must see what was committed before it.
  await session.query('set transaction isolation level read committed');
  // From here on no row comes or goes, and nobody gives the name to another table; readers are not disturbed yet.
  await attemptOrUndo(work, `lock table ${name} in share mode`, what);
  const now = await readTableNow(work, partition.table_oid);
  if (now?.schema_name !== schema || now.table_name !== table_name || now.parent_oid !== null) {
    throw new Undone(pauseFor(`${nameOf(partition)} was renamed or attached a moment ago`));
  }
  await undoIfHeld(work, partition);
  const rows = await countPartition(work, partition, partitionLimits.exactCountBytes);
  if (policy.archive_before_delete) await work.archive?.(session, { schema, table: table_name });
  // A hold that is being placed is waited for, and one that comes later finds the table gone.
  await attemptOrUndo(work, readSqlFile('purge/share-hold-lock.sql'), what);
  await undoIfHeld(work, partition);
  // The lock of the DROP reaches the tables that this one references: it comes last, and the commit follows at once.
  await recordPartition(work, recordId, 'dropped', rows);
  await attemptOrUndo(work, `drop table ${name}`, what);
  return rows;
}

async function undoIfHeld({ session, table }: DropWork, partition: Partition): Promise<void> {
  const reason = await findHeld(session, partition, table.table_oid);
  if (reason !== undefined) throw new Undone({ state: 'kept', reason });
}

/** Tried again inside of the transaction: an archive that took long must not be lost for a reader of a moment. */
async function attemptOrUndo(work: DropWork, sql: string, what: string): Promise<void> {
  const { session } = work;
  const outcome = await withAttempts(work, async () => {
    await session.query('savepoint attempt');
    try {
      const pause = await attemptStatement(work, sql, what);
      await session.query(`${pause === undefined ? 'release' : 'rollback to'} savepoint attempt`);
      return pause ?? DONE;
    } catch (error) {
      if (sqlState(error) !== DEPENDENT_OBJECTS_STILL_EXIST) throw error;
      return { state: 'kept', reason: `something needs it: ${describeError(error)}` };
    }
  });
  if (outcome.state !== 'done') throw new Undone(outcome);
}
