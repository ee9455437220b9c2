// One batch: hold lock, holds, choose and lock rows, delete, count, move the cursor; all in one transaction.
import type { DatabaseSession } from '../shared/database.ts';
import { LOCK_NOT_AVAILABLE, sqlState } from '../shared/postgres-errors.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import { type DeletedRows, deleteRows } from './delete-rows.ts';
import { inTransaction } from './in-transaction.ts';
import type { PurgeStatements } from './purge-statements.ts';
import { readHolds } from './read-holds.ts';
import type { TableFacts } from './read-table-facts.ts';

const DEADLOCK_DETECTED = '40P01';

/** Where a batch ended: the timestamp and the key of its last row, as text. */
export interface Cursor {
  timestamp: string;
  key: readonly string[];
}

export interface PolicyWork {
  readonly statements: PurgeStatements;
  readonly facts: TableFacts;
  readonly cutoff: string;
  readonly batchRows: number;
  readonly runId: string;
}

/** The outcome of a batch, or undefined when no row is left after the cursor. `waits`: for rows that others have locked. */
export async function runBatch(
  session: DatabaseSession,
  work: PolicyWork,
  from: { cursor: Cursor | undefined; waits: boolean },
): Promise<(DeletedRows & { cursor: Cursor }) | undefined> {
  try {
    return await tryBatch(session, work, from);
  } catch (error) {
    const state = sqlState(error);
    if (!from.waits || (state !== LOCK_NOT_AVAILABLE && state !== DEADLOCK_DETECTED)) throw error;
    // Somebody keeps a row of this batch locked: take the others, the count at the end names what is left.
    return await tryBatch(session, work, { ...from, waits: false });
  }
}

async function tryBatch(
  session: DatabaseSession,
  work: PolicyWork,
  from: { cursor: Cursor | undefined; waits: boolean },
): Promise<(DeletedRows & { cursor: Cursor }) | undefined> {
  return await inTransaction(session, 'begin', async () => {
    // A deferred foreign key would fail at the commit, where no savepoint can tell which row it was.
    await session.query('set constraints all immediate');
    await session.query(readSqlFile('purge/share-hold-lock.sql'));
    const holds = await readHolds(session, work.facts);
    const chosen = await chooseRows(session, work, from, holds);
    const last = chosen.at(-1);
    if (last === undefined) return undefined;
    const keys = chosen.map(({ key }) => key);
    const outcome = await deleteRows(session, work.statements.delete, work.cutoff, keys);
    await session.query(readSqlFile('purge/record-batch.sql'), [
      work.runId,
      outcome.deleted,
      last.timestamp,
      JSON.stringify(last.key),
    ]);
    return { ...outcome, cursor: last };
  });
}

async function chooseRows(
  session: DatabaseSession,
  work: PolicyWork,
  from: { cursor: Cursor | undefined; waits: boolean },
  holds: { wholeTable: boolean; keys: readonly string[] },
): Promise<Cursor[]> {
  const { cursor, waits } = from;
  const after = cursor === undefined ? [] : [cursor.timestamp, ...cursor.key];
  const { rows } = await session.query<Record<string, string>>(
    work.statements.choose({ isFirst: cursor === undefined, waits }),
    [work.cutoff, holds.wholeTable, holds.keys, work.batchRows, ...after],
  );
  return rows.map((row) => ({
    timestamp: row['position'] ?? '',
    key: work.facts.key_columns.map((_, index) => row[`key_${index + 1}`] ?? ''),
  }));
}
