// A transaction in a session that must stay the same one, because it holds the lock of purge.
import type { DatabaseSession } from '../shared/database.ts';
import { isSessionLost } from '../shared/postgres-errors.ts';

/**
 * Commits when `use` returns and rolls back when it throws; the session stays usable after an error of the server.
 *
 * `begin` is the statement, or several, that open it; when one of them fails nothing is left open either.
 */
export async function inTransaction<T>(session: DatabaseSession, begin: string, use: () => Promise<T>): Promise<T> {
  try {
    await session.query(begin);
    const result = await use();
    await session.query('commit');
    return result;
  } catch (error) {
    // Without a connection there is nothing to roll back, and the attempt would hide why.
    if (!isSessionLost(error)) await session.query('rollback').catch(() => {});
    throw error;
  }
}
