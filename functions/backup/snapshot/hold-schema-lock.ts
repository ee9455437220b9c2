// Keeps migrations away while a backup reads: an ALTER between snapshot and COPY would make the archive wrong or fail it.
import { requireAdvisoryLock } from '../../shared/advisory-lock.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';

/** A migration of one transaction is over by then; a longer one is a reason to fail and say so. */
const PATIENCE_MS = 60_000;
const POLL_MS = 1_000;

/**
 * Takes `nightshift:schema` shared for the session, before its transaction begins; answers how to give it back.
 *
 * Polls the trying form for a minute (the waiting form would deadlock with CREATE INDEX CONCURRENTLY), then throws
 * `job.locked` with the holder.
 */
export async function holdSchemaLock(
  session: DatabaseSession,
  clock: Clock,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const until = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await requireAdvisoryLock(session, {
        name: 'nightshift:schema',
        mode: 'shared',
        job: 'backup',
        safeState: 'Nothing was dumped and no backup was recorded',
      });
    } catch (error) {
      const isTaken = error instanceof JobFailure && error.code === 'job.locked';
      if (!isTaken || clock.monotonicMs() >= until) throw error;
      await clock.sleep(POLL_MS, signal);
    }
  }
}
