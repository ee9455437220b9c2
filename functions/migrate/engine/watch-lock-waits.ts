// Looks from a second session whether a statement waits for a lock, and cancels it when the job runs out of time.
import type { Database } from '../../shared/database.ts';
import type { JobContext } from '../../shared/job-handler.ts';
import type { LockWatch } from '../../shared/migration-steps.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Blocker, describeBlockers } from './describe-blockers.ts';

/** Most statements are over before the first look, which then costs nothing. */
const LOOK_EVERY_MS = 200;

/** Starts to watch the session; `stop()` tells how long it was seen waiting, null when no look was possible. */
export function watchLockWaits(
  context: Pick<JobContext, 'clock' | 'signal'> & { database: Database },
  processId: number,
): LockWatch {
  const stopped = new AbortController();
  let waitMs: number | null = 0;
  let blockers: readonly Blocker[] = [];

  async function watch(): Promise<void> {
    let lastLook = context.clock.monotonicMs();
    while (!stopped.signal.aborted) {
      await context.clock.sleep(LOOK_EVERY_MS, stopped.signal).catch(() => {});
      if (stopped.signal.aborted) return;
      await context.database.withSession(async (session) => {
        if (context.signal.aborted) {
          await session.query(readSqlFile('session/cancel-statement.sql'), [processId]);
          return;
        }
        const { rows } = await session.query<{ waiting: boolean | null; blockers: Blocker[] | null }>(
          readSqlFile('session/lock-wait.sql'),
          [processId],
        );
        const now = context.clock.monotonicMs();
        if (rows[0]?.waiting === true) {
          waitMs = Math.round((waitMs ?? 0) + now - lastLook);
          blockers = rows[0].blockers ?? blockers;
        }
        lastLook = now;
      });
    }
  }

  const watching = watch().catch(() => {
    // Not being able to look must not fail the migration; null in the record says that nobody looked.
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
