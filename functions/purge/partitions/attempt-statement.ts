// Runs a statement that takes strong locks: for a moment only, watched from a second session, and tried again a few times. Whoever
// works on the table must not be kept waiting by purge.
import { type Blocker, describeBlockers } from '../../shared/describe-blockers.ts';
import { describeError } from '../../shared/job-failure.ts';
import { DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlState } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { watchLockWaits } from '../../shared/watch-lock-waits.ts';
import { type DropWork, LOOK_AGAIN_SECONDS, partitionLimits, type StepOutcome } from './partition-work.ts';

/** Often enough to see who is in the way of a statement that waits for 200 ms. */
const LOOK_EVERY_MS = 50;

type AttemptContext = Pick<DropWork, 'database' | 'session' | 'clock' | 'signal'>;

/** Undefined when it was carried out; a pause when a lock was in the way or it gave way. Throws what is not about locks. */
export async function attemptStatement(
  context: AttemptContext,
  sql: string,
  what: string,
): Promise<(StepOutcome & { state: 'pause' }) | undefined> {
  const watch = watchLockWaits(
    { ...context, lookEveryMs: LOOK_EVERY_MS, givesWayAfterMs: partitionLimits.givesWayAfterMs },
    context.session.processId,
  );
  let thrown: unknown;
  try {
    await context.session.query(sql);
  } catch (error) {
    thrown = error;
  }
  const { blockers } = await watch.stop();
  if (thrown === undefined) return undefined;
  // It took too long, or it was cancelled: by the watch, or by a person.
  if (!isAboutLocks(thrown) && sqlState(thrown) !== QUERY_CANCELED) throw thrown;
  return pauseFor(`${what} ${blockers === null ? `was given up: ${describeError(thrown)}` : `waits for ${blockers}`}`);
}

/** Whether it failed because of somebody else's lock, which will go. */
export function isAboutLocks(error: unknown): boolean {
  return [LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED].includes(sqlState(error) ?? '');
}

export function pauseFor(reason: string): StepOutcome & { state: 'pause' } {
  return { state: 'pause', pause: { reason, seconds: LOOK_AGAIN_SECONDS.transaction } };
}

/**
 * A pause when sessions are seen that an ACCESS EXCLUSIVE lock on the table would have to wait for; with `snapshots` also those
 * with an older snapshot. Then the lock is not even asked for, as everybody who comes later would queue behind it.
 */
export async function pauseIfInTheWay(
  { session }: Pick<DropWork, 'session'>,
  tableOid: number,
  { snapshots, what }: { snapshots: boolean; what: string },
): Promise<(StepOutcome & { state: 'pause' }) | undefined> {
  const { rows } = await session.query<Blocker & Record<string, unknown>>(readSqlFile('purge/in-the-way.sql'), [
    tableOid,
    snapshots ? partitionLimits.lockTimeoutMs : null,
  ]);
  return rows.length === 0 ? undefined : pauseFor(`${what} waits for ${await describeBlockers(rows)}`);
}

/** Repeats a step that pauses, with growing pauses, until the attempts or the time of the run are used up. */
export async function withAttempts(
  { clock, signal, log }: Pick<DropWork, 'clock' | 'signal' | 'log'>,
  step: () => Promise<StepOutcome>,
): Promise<StepOutcome> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await step();
    if (outcome.state !== 'pause' || tries >= partitionLimits.attempts || signal.aborted) return outcome;
    const pauseMs = Math.round(partitionLimits.firstPauseMs * 2 ** (tries - 1) * (0.5 + Math.random()));
    log.info('purge.partition_lock_not_gained', { attempt: tries, pause_ms: pauseMs, problem: outcome.pause.reason });
    // The end of the run's time ends the pause; the step is then tried once more and says why it failed.
    await clock.sleep(pauseMs, signal).catch(() => {});
  }
}
