// Asks one assertion of the restored database. Nothing of a row ever leaves the server: only how many there are.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { sqlState } from '../../shared/postgres-errors.ts';
import { type Comparison, comparison } from './comparison.ts';
import type { Assertion } from './read-assertions.ts';

/** A question that takes longer is one for a night of its own. */
const TIMEOUT_MS = 60_000;
/** Whose words name objects and never quote a value: transaction state, syntax and names, cancelled, resources. */
const SAFE_CLASSES: readonly string[] = ['25', '42', '53', '54', '57'];

/**
 * A difference when the query returns rows or fails, with their number or with the SQLSTATE.
 *
 * Read only, in a transaction that is rolled back, for one minute at the most. Throws only when the session is lost.
 */
export async function runAssertion(
  session: DatabaseSession,
  { file, query }: Assertion,
  timeoutMs = TIMEOUT_MS,
): Promise<Comparison> {
  await session.query('begin read only');
  await session.query(`set local statement_timeout = ${Math.trunc(timeoutMs)}`);
  let actual: string;
  try {
    // With a parameter the server takes one statement only, and in parentheses that can be nothing but a query.
    const { rows } = await session.query<{ rows: string }>(
      `select count(*)::text as rows from (\n${query}\n) as assertion where $1::boolean`,
      [true],
    );
    actual = `${rows[0]?.rows} rows`;
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || state.startsWith('57P') || state.startsWith('08')) throw error;
    const words = SAFE_CLASSES.includes(state.slice(0, 2)) ? `: ${describeError(error)}` : '';
    actual = `SQLSTATE ${state}${words}`;
  }
  await session.query('rollback');
  if (actual === '0 rows') return comparison({ compared: { assertions: 1 } });
  return comparison({ differences: [{ what: `assertion "${file}"`, expected: 'no row', actual }] });
}
