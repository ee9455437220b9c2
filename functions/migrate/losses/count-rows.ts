// Counts what would be lost, in a transaction that can change nothing, or says why it cannot.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { isSessionLost, QUERY_CANCELED, sqlState } from '../../shared/postgres-errors.ts';

/** A count, or null with the reason. */
export type CountedRows = { rows: number; reason?: undefined } | { rows: null; reason: string };

/** Somebody waits for the answer; a session without a time limit of its own shall not count a large table for an hour. */
export const LONGEST_COUNT_MS = 30_000;
const BEGIN = `begin read only; select set_config('statement_timeout', least(nullif(setting::bigint, 0), ${LONGEST_COUNT_MS})::text, true) from pg_settings where name = 'statement_timeout'`;

/** Runs a query that answers one number as `rows`; the session must not be in a transaction. */
export async function countRows(session: DatabaseSession, query: string): Promise<CountedRows> {
  return await inReadOnly(session, async () => {
    const { rows } = await session.query<{ rows: string }>(query);
    return { rows: Number(rows[0]?.rows) };
  });
}

/** What `read` answers, or why the server refused it. */
export async function inReadOnly<T>(
  session: DatabaseSession,
  read: () => Promise<T>,
): Promise<T | { rows: null; reason: string }> {
  await session.query(BEGIN);
  try {
    return await read();
  } catch (error) {
    const state = sqlState(error);
    if (isSessionLost(error) || state === undefined) throw error;
    return { rows: null, reason: reasonOf(state, error) };
  } finally {
    await session.query('rollback').catch(() => {});
  }
}

function reasonOf(state: string, error: unknown): string {
  if (state === QUERY_CANCELED) return 'it takes longer than the statement timeout';
  // Messages of data exceptions quote the value.
  if (state.startsWith('22')) return `a value does not fit (SQLSTATE ${state})`;
  return describeError(error);
}
