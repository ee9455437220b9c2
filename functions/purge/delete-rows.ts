// Deletes chosen rows and finds those that other tables still reference, by halving. Runs inside a batch's transaction.
import type { DatabaseSession } from '../shared/database.ts';
import { FOREIGN_KEY_VIOLATION, sqlState } from '../shared/postgres-errors.ts';

/** ON DELETE RESTRICT has a code of its own since PostgreSQL 18. */
const RESTRICT_VIOLATION = '23001';

/** The key of a row: one text per key column. */
export type RowKey = readonly string[];

export interface DeletedRows {
  deleted: number;
  /** Rows that stay because a row of another table references them. */
  referenced: number;
}

/** Deletes the rows it can; a reference does not fail the batch, any other error does. */
export async function deleteRows(
  session: DatabaseSession,
  statement: string,
  cutoff: string,
  rows: readonly RowKey[],
): Promise<DeletedRows> {
  await session.query('savepoint chosen');
  try {
    const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));
    const { rowCount } = await session.query(statement, [cutoff, ...columns]);
    await session.query('release savepoint chosen');
    return { deleted: rowCount, referenced: 0 };
  } catch (error) {
    const state = sqlState(error);
    if (state !== FOREIGN_KEY_VIOLATION && state !== RESTRICT_VIOLATION) throw error;
    await session.query('rollback to savepoint chosen');
    await session.query('release savepoint chosen');
  }
  if (rows.length === 1) return { deleted: 0, referenced: 1 };
  const middle = Math.ceil(rows.length / 2);
  const first = await deleteRows(session, statement, cutoff, rows.slice(0, middle));
  const second = await deleteRows(session, statement, cutoff, rows.slice(middle));
  return { deleted: first.deleted + second.deleted, referenced: first.referenced + second.referenced };
}
