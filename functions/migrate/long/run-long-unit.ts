// A statement that runs alone, on the session that holds the lock of the migrations: written down by a second session before it is
// sent, sent without any time limit, and left to the server when this run has no time left. Whoever comes next finds it running,
// finished alone, or half done.
import { type DatabaseSession, limitSettings } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { scriptOf } from '../../shared/migration-run.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { type FailedStep, type MigrationStep, recordSteps, runStatement } from '../../shared/migration-steps.ts';
import type { LongOperation } from '../../shared/migration-units.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { mayTryAgain } from '../engine/lock-retry.ts';
import { moveHistory } from '../engine/move-history.ts';
import { type FilePart, recordFailure } from '../engine/run-transaction-unit.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { LeftRunning } from './left-running.ts';
import { readLongStep } from './long-step.ts';
import { type CatalogFacts, type LongWork, longWork } from './long-work.ts';

interface LongUnit {
  readonly operation: LongOperation;
  readonly statement: MigrationStatement;
}

/** Else a work of hours would be broken off because its client is gone. */
const WITHOUT_END = 'set statement_timeout = 0; set client_connection_check_interval = 0';
/**
 * These wait on purpose until older transactions have ended, and a time limit for locks ends that too, which leaves an INVALID
 * index. The locks that they take stop no reader and no writer. The others keep the limit, and are tried again.
 */
const WAITS_ON_PURPOSE: ReadonlySet<LongOperation> = new Set([
  'create index concurrently',
  'drop index concurrently',
  'reindex concurrently',
  'detach partition concurrently',
]);

const MAY_BE_HALF_DONE = 'It may be half done: the next up or down finds out, repairs it and goes on';

/** Done and recorded when it returns; throws LeftRunning when the server goes on without this run. */
export async function runLongUnit(
  context: MigrateContext,
  session: DatabaseSession,
  part: FilePart,
  { operation, statement }: LongUnit,
): Promise<void> {
  const { migration, direction } = part;
  const { log } = context;
  const where = { number: migration.number, direction, statement: statement.number };
  const work = longWork(operation, statement.tree);
  // The names of the file are looked up as its statements would.
  await session.query('reset search_path');
  const earlier = await readLongStep(session);
  const isAgain = earlier?.number === migration.number && earlier.statement_number === statement.number;
  await lookUnlessBuilt(session, work, statement);
  for (const repair of await repairLongStep(session, work, { dryRun: false })) {
    log.warn('migrate.long_step_repaired', { ...where, repair });
  }
  const now = await work.look(session);
  if (isAgain && work.isDone(earlier.catalog_before, now, earlier.started_at)) {
    log.info('migrate.long_step_found_done', where);
    await recordDone(context, part, statement, earlier.started_at);
    await session.query(limitSettings(context.limits));
    return;
  }
  await beginStep(context, session, part, { operation, statement, before: now });
  await session.query(WAITS_ON_PURPOSE.has(operation) ? `${WITHOUT_END}; set lock_timeout = 0` : WITHOUT_END);
  log.info('migrate.long_step_begun', { ...where, operation, process_id: session.processId });
  const outcome = await runToEnd(context, session, part, { operation, statement });
  if (!outcome.ok) {
    await recordFailure(context, session, part, outcome);
    throw await afterCleaning(context, session, work, outcome.failure);
  }
  await recordDone(context, part, statement, outcome.step.startedAt, outcome.step);
  await session.query(limitSettings(context.limits));
}

/** Tried again only where a failed try leaves nothing. */
async function runToEnd(
  context: MigrateContext,
  session: DatabaseSession,
  { migration, direction, run }: FilePart,
  { operation, statement }: LongUnit,
): Promise<{ ok: true; step: MigrationStep } | FailedStep> {
  const script = scriptOf(migration, direction);
  // Nobody may cancel it when the time of the run is over; how long it waits for locks, status tells.
  const { watch: _watch, ...unwatched } = run;
  for (let tries = 1; ; tries += 1) {
    const outcome = await untilPause(context, runStatement(session, unwatched, script, statement, MAY_BE_HALF_DONE));
    if (outcome.ok) return { ok: true, step: { ...outcome.step, retries: tries - 1 } };
    if (WAITS_ON_PURPOSE.has(operation) || !(await mayTryAgain(context, script, outcome, tries))) return outcome;
  }
}

/** Removes what the failed statement has left, so that an INVALID index does not burden the writers until somebody comes again. */
async function afterCleaning(
  context: MigrateContext,
  session: DatabaseSession,
  work: LongWork,
  failure: JobFailure,
): Promise<JobFailure> {
  let safeState = MAY_BE_HALF_DONE;
  try {
    const repairs = work.repairs(await work.look(session));
    for (const repair of repairs) await session.query(repair);
    safeState = `${repairs.length === 0 ? 'It has left nothing' : 'What it had left half done was removed'}; the statements before it stay as they were recorded`;
  } catch (error) {
    // The statement has failed already; the next run tries to repair it once more.
    context.log.warn('migrate.long_step_not_repaired', { problem: describeError(error) });
  }
  const { code, problem, hint, excerpt, cause } = failure;
  return new JobFailure({ code, problem, safeState, hint, excerpt, cause });
}

/** Refused while somebody else builds the very index: dropping it would break that off. */
async function lookUnlessBuilt(
  session: DatabaseSession,
  work: LongWork,
  { firstLine }: MigrationStatement,
): Promise<void> {
  const { builtBy } = await work.look(session);
  if (typeof builtBy !== 'number') return;
  throw new JobFailure({
    code: 'job.locked',
    problem: `"${firstLine}" wants an index that pid ${builtBy} is building`,
    safeState: 'This statement was not run',
    hint: `wait until it ends, or look at pid ${builtBy} in pg_stat_activity`,
  });
}

/** By a second session: the one that runs the statement may be gone before it could write anything. */
export async function beginStep(
  context: MigrateContext,
  session: DatabaseSession,
  { migration, direction, run }: FilePart,
  { operation, statement, before }: { operation: string; statement: MigrationStatement; before: CatalogFacts },
): Promise<void> {
  const written = await context.database.withSession(
    async (other) =>
      await other.query(readSqlFile('migrate/begin-long-step.sql'), [
        run.kind,
        migration.number,
        direction,
        statement.number,
        operation,
        statement.firstLine,
        session.processId,
        JSON.stringify(before),
        run.requestedBy,
        run.requestId,
      ]),
  );
  if (written.rowCount === 1) return;
  throw new JobFailure({
    code: 'database.session_lost',
    problem: `session ${session.processId} is not in pg_stat_activity, so "${statement.firstLine}" could not be found again`,
    safeState: 'This statement was not run',
    hint: 'a pooler that parts sessions hides them: connect straight to the server, and run it again',
  });
}

/** Removes what a broken try has left; the statements that were run for it, or would be. */
export async function repairLongStep(
  session: DatabaseSession,
  work: LongWork,
  { dryRun }: { dryRun: boolean },
): Promise<string[]> {
  const repairs = work.repairs(await work.look(session));
  if (dryRun || repairs.length === 0) return repairs;
  await session.query(`${WITHOUT_END}; set lock_timeout = 0`);
  for (const repair of repairs) await session.query(repair);
  return repairs;
}

/** Records a statement that the server has ended after its client had gone. */
export async function recordFoundDone(
  context: MigrateContext,
  { migration, direction }: Pick<FilePart, 'migration' | 'direction'>,
  statement: MigrationStatement,
  startedAt: Date,
): Promise<void> {
  const { event, runId, clock, signal } = context;
  const requestedBy = event.requestedBy ?? '';
  const run = { kind: 'application', requestedBy, requestId: runId, clock, signal } as const;
  await recordDone(context, { migration, direction, run }, statement, startedAt);
}

async function recordDone(
  context: MigrateContext,
  { migration, direction, run }: FilePart,
  statement: MigrationStatement,
  startedAt: Date,
  step?: MigrationStep,
): Promise<void> {
  // Found done: it took no longer than until now.
  const durationMs = Math.max(0, context.clock.now().getTime() - startedAt.getTime());
  const done = step ?? { statement, startedAt, durationMs, lockWaitMs: null, retries: 0 };
  await context.database.withTransaction(async (other) => {
    await moveHistory(other, run, migration, direction, { from: statement.number - 1, to: statement.number });
    await recordSteps(other, run, migration, direction, [done], { durationMs: done.durationMs });
    await other.query(readSqlFile('migrate/end-long-step.sql'), [migration.number]);
  });
}

/** The outcome, unless the time of this run is over first: its session is then closed under the statement, which goes on. */
async function untilPause<T>({ pause }: MigrateContext, running: Promise<T>): Promise<T> {
  let onPause = () => {};
  const paused = new Promise<never>((_, reject) => {
    onPause = () => reject(new LeftRunning());
    if (pause.aborted) onPause();
    else pause.addEventListener('abort', onPause, { once: true });
  });
  try {
    return await Promise.race([running, paused]);
  } finally {
    pause.removeEventListener('abort', onPause);
    // Its error, when the session is closed under it, is no news.
    running.catch(() => {});
  }
}
