// Whether somebody waits for what a batch has locked; asked just before it commits, so that the next one can be smaller.
import type { DatabaseSession } from '../../shared/database.ts';
import { readWaiters } from '../../shared/read-waiters.ts';

/** How many sessions wait for a lock that this very session holds. */
export async function countWaiters(session: DatabaseSession): Promise<number> {
  return (await readWaiters(session, session.processId)).waiters;
}
