// Whether somebody waits because of a session: asked before a batch of purge commits, and while one of its statements runs.
import type { DatabaseSession } from './database.ts';
import { readSqlFile } from './sql-files.ts';

export interface Waiters {
  waiters: number;
  /** The longest of their waits so far, in milliseconds. */
  longest_ms: number;
}

/** The sessions that wait for a lock which the session `processId` holds; those that wait behind another waiter are not counted. */
export async function readWaiters(session: DatabaseSession, processId: number): Promise<Waiters> {
  const { rows } = await session.query<Waiters & Record<string, unknown>>(readSqlFile('session/waiters.sql'), [
    processId,
  ]);
  return rows[0] ?? { waiters: 0, longest_ms: 0 };
}
