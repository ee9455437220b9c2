// When a lock does not come in time: whether to try again, and the pause before it. Only for what leaves nothing when it fails.
import type { MigrationScript } from '../../shared/migration-files.ts';
import type { FailedStep } from '../../shared/migration-steps.ts';
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from '../../shared/postgres-errors.ts';
import type { MigrateContext } from '../run-migrate.ts';

/** The first pause, the longest one, and how far each is off by chance: two that met once shall not meet again. */
export const LOCK_PAUSE = { firstMs: 500, longestMs: 30_000, jitter: 0.5 };

/** Whether it failed because of somebody else's lock, which will go. */
export function isAboutLocks({ sqlstate }: Pick<FailedStep, 'sqlstate'>): boolean {
  return sqlstate === LOCK_NOT_AVAILABLE || sqlstate === DEADLOCK_DETECTED;
}

/** Waits and says yes, as long as there are tries and time left. */
export async function mayTryAgain(
  context: Pick<MigrateContext, 'lockAttempts' | 'pause' | 'clock' | 'log'>,
  { file }: Pick<MigrationScript, 'file'>,
  failed: FailedStep,
  tries: number,
): Promise<boolean> {
  const { lockAttempts, pause, clock, log } = context;
  if (!isAboutLocks(failed) || tries >= lockAttempts || pause.aborted) return false;
  const doubled = Math.min(LOCK_PAUSE.longestMs, LOCK_PAUSE.firstMs * 2 ** (tries - 1));
  const pauseMs = Math.round(doubled * (1 - LOCK_PAUSE.jitter / 2 + Math.random() * LOCK_PAUSE.jitter));
  log.warn('migrate.lock_not_gained', {
    file,
    statement: failed.step.statement.number,
    attempt: tries,
    attempts: lockAttempts,
    pause_ms: pauseMs,
    problem: failed.failure.problem,
  });
  // The end of the run's time ends the pause; the unit is then tried once more and says why it failed.
  await clock.sleep(pauseMs, pause).catch(() => {});
  return true;
}
