// One unit in one transaction: history row, statements, step rows, commit. A lock that does not come is tried for again, from the
// beginning of the unit: until then nobody waits behind it.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { CHECK_DEFERRED, scriptOf } from '../../shared/migration-run.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import {
  type FailedStep,
  FILE_ROLLED_BACK,
  type MigrationDirection,
  type MigrationRun,
  type MigrationStep,
  recordSteps,
  runStatement,
} from '../../shared/migration-steps.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { isAboutLocks, mayTryAgain } from './lock-retry.ts';
import { type Move, moveHistory } from './move-history.ts';

export interface FilePart {
  readonly migration: Migration;
  readonly direction: MigrationDirection;
  readonly run: MigrationRun;
}

/** Runs the unit and commits it with its record; throws after the rollback, with the failure recorded in a transaction of its own. */
export async function runTransactionUnit(
  context: MigrateContext,
  session: DatabaseSession,
  part: FilePart,
  statements: readonly MigrationStatement[],
  move: Move,
): Promise<void> {
  const { migration, direction } = part;
  for (let tries = 1; ; tries += 1) {
    const outcome = await tryUnit(session, part, statements, { move, retries: tries - 1 });
    if (outcome.ok) return;
    const failed = { ...outcome, step: { ...outcome.step, retries: tries - 1 } };
    // Rolled back first: whatever was locked is free while it waits.
    if (isAboutLocks(failed)) await session.query('rollback').catch(() => {});
    if (await mayTryAgain(context, scriptOf(migration, direction), failed, tries)) continue;
    await recordFailure(context, session, part, failed);
    throw tries === 1 ? failed.failure : afterRetries(failed.failure, tries);
  }
}

async function tryUnit(
  session: DatabaseSession,
  { migration, direction, run }: FilePart,
  statements: readonly MigrationStatement[],
  { move, retries }: { move: Move; retries: number },
): Promise<{ ok: true } | FailedStep> {
  const script = scriptOf(migration, direction);
  const startedMs = run.clock.monotonicMs();
  const limitMs = script.header.statementTimeoutMs;
  // Migrations see the search path that the role has everywhere else, not the one of the product's own queries.
  const timeout = limitMs === undefined ? '' : `; set local statement_timeout = ${limitMs}`;
  await session.query(`reset search_path; begin${timeout}`);
  const steps: MigrationStep[] = [];
  try {
    await moveHistory(session, run, migration, direction, move);
    for (const statement of statements) {
      run.signal.throwIfAborted();
      const outcome = await runStatement(session, run, script, statement);
      if (!outcome.ok) return outcome;
      steps.push({ ...outcome.step, retries });
    }
    const last = statements.at(-1);
    if (last) {
      // A file may have said SET LOCAL ROLE; the record is written as the role that logged in.
      const check = { ...last, ...CHECK_DEFERRED, text: `${CHECK_DEFERRED.text}; reset role` };
      const outcome = await runStatement(session, run, script, check);
      if (!outcome.ok) return outcome;
    }
    const durationMs = Math.round(run.clock.monotonicMs() - startedMs);
    await recordSteps(session, run, migration, direction, steps, { durationMs });
  } catch (error) {
    await session.query('rollback').catch(() => {});
    if (error instanceof JobFailure) throw error;
    throw notRecorded(migration, error);
  }
  await commit(session, migration);
  return { ok: true };
}

/** Best effort on purpose: the migration has failed already, and a lost record must not hide why. */
export async function recordFailure(
  context: MigrateContext,
  session: DatabaseSession,
  { migration, direction, run }: FilePart,
  failed: FailedStep,
): Promise<void> {
  try {
    await session.query('rollback');
    await recordSteps(session, run, migration, direction, [failed.step], { failed });
  } catch {
    // The session is gone with its transaction; another one can still write the record.
    await context.database
      .withSession(async (other) => await recordSteps(other, run, migration, direction, [failed.step], { failed }))
      .catch((error: unknown) => context.log.error('migrate.failure_not_recorded', { problem: describeError(error) }));
  }
}

function afterRetries(failure: JobFailure, tries: number): JobFailure {
  const { code, problem, safeState, hint, excerpt, cause } = failure;
  return new JobFailure({ code, problem: `${problem}; it was tried ${tries} times`, safeState, hint, excerpt, cause });
}

async function commit(session: DatabaseSession, migration: Migration): Promise<void> {
  try {
    await session.query('commit');
  } catch (error) {
    if (!isSessionLost(error)) throw notRecorded(migration, error);
    throw new JobFailure({
      code: 'migrate.statement_failed',
      problem: `the commit of migration ${migration.number} "${migration.name}" was not answered: ${describeError(error)}`,
      safeState: 'The server has either committed the work with its record, or neither of them',
      hint: 'ask for the status: it tells which',
      cause: error,
    });
  }
}

function notRecorded({ number, name }: Migration, error: unknown): JobFailure {
  const state = sqlState(error);
  return new JobFailure({
    code: 'database.statement_failed',
    problem: `the record of migration ${number} "${name}" could not be written${state === undefined ? '' : ` (SQLSTATE ${state})`}: ${describeError(error)}`,
    safeState: FILE_ROLLED_BACK,
    hint: 'migrate must log in as nightshift_migrate, which owns schema nightshift; bootstrap sets that up',
    cause: error,
  });
}
