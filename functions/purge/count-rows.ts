// Counts the rows of a policy that are past its cutoff: the plan of a dry run, and the proof at the end of a run.
import type { DatabaseSession } from '../shared/database.ts';
import { inTransaction } from './in-transaction.ts';
import type { PurgeStatements } from './purge-statements.ts';
import { readHolds } from './read-holds.ts';
import type { TableFacts } from './read-table-facts.ts';

export interface RowCounts {
  /** All rows past the cutoff that fit the predicate, held ones included. */
  rows: number;
  held: number;
  oldest: string | null;
}

/** The counts at one moment, in a transaction that can write nothing. */
export async function countRows(
  session: DatabaseSession,
  work: { statements: PurgeStatements; facts: TableFacts; cutoff: string },
): Promise<RowCounts> {
  return await inTransaction(session, 'begin isolation level repeatable read read only', async () => {
    const holds = await readHolds(session, work.facts);
    const values = [work.cutoff, holds.wholeTable, holds.keys];
    const { rows } = await session.query<RowCounts & Record<string, unknown>>(work.statements.count, values);
    const [row] = rows;
    return { rows: row?.rows ?? 0, held: row?.held ?? 0, oldest: row?.oldest ?? null };
  });
}
