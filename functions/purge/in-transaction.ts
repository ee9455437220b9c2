// A transaction in a session that must stay the same one, because it holds the lock of purge.
import type { DatabaseSession } from '../shared/database.ts';
import { sqlState } from '../shared/postgres-errors.ts';

/** `begin` is the statement, or several, that open it. Commits when `use` returns and rolls back when it throws; the session stays usable after an error of the server. */
export async function inTransaction<T>(
  session: DatabaseSession,
  begin: string,
  use: () => Promise<T>,
): Promise<T> {
  await session.query(begin);
  try {
    const result = await use();
    await session.query('commit');
    return result;
  } catch (error) {
    // Without a connection there is nothing to roll back, and the attempt would hide why.
    if (sqlState(error)?.startsWith('57P') !== true) await session.query('rollback').catch(() => {});
    throw error;
  }
}
