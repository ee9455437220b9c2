// Looks from a second session whether a statement waits for a lock or keeps others waiting, and cancels it when the job runs out of
// time or the others have waited too long.
import type { Database } from './database.ts';
import { type Blocker, describeBlockers } from './describe-blockers.ts';
import type { JobContext } from './job-handler.ts';
import type { LockWatch } from './migration-steps.ts';
import { readWaiters } from './read-waiters.ts';
import { readSqlFile } from './sql-files.ts';

/** Most statements are over before the first look, which then costs nothing. */
const LOOK_EVERY_MS = 200;

interface WatchContext extends Pick<JobContext, 'clock' | 'signal'> {
  database: Database;
  /** Milliseconds between two looks. */
  lookEveryMs?: number;
  /** Cancels the statement when another session has waited for it for longer, in milliseconds; absent: never. */
  givesWayAfterMs?: number;
}

/** Starts to watch the session; `stop()` tells how long it was seen waiting, null when no look was possible. */
export function watchLockWaits(context: WatchContext, processId: number): LockWatch {
  const { database, clock, signal, lookEveryMs = LOOK_EVERY_MS, givesWayAfterMs } = context;
  const stopped = new AbortController();
  let waitMs: number | null = 0;
  let blockers: readonly Blocker[] = [];

  async function watch(): Promise<void> {
    let lastLook = clock.monotonicMs();
    while (!stopped.signal.aborted) {
      await clock.sleep(lookEveryMs, stopped.signal).catch(() => {});
      if (stopped.signal.aborted) return;
      await database.withSession(async (session) => {
        const isInTheWay =
          givesWayAfterMs !== undefined && (await readWaiters(session, processId)).longest_ms > givesWayAfterMs;
        // A cancel that comes when the statement has ended is ignored by the server: nothing else is sent before stop() returns.
        if (signal.aborted || isInTheWay) {
          await session.query(readSqlFile('session/cancel-statement.sql'), [processId]);
          return;
        }
        const { rows } = await session.query<{ waiting: boolean | null; blockers: Blocker[] | null }>(
          readSqlFile('session/lock-wait.sql'),
          [processId],
        );
        const now = clock.monotonicMs();
        if (rows[0]?.waiting === true) {
          waitMs = Math.round((waitMs ?? 0) + now - lastLook);
          blockers = rows[0].blockers ?? blockers;
        }
        lastLook = now;
      });
    }
  }

  const watching = watch().catch(() => {
    // Not being able to look must not fail the job; null in the record says that nobody looked.
    waitMs = null;
  });
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return { waitMs, blockers: blockers.length === 0 ? null : await describeBlockers(blockers) };
    },
  };
}
