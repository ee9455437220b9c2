// One file, one transaction: history row, statements, step rows, commit. After a failure only its record is left.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { Migration } from '../shared/migration-files.ts';
import {
  type MigrationDirection,
  type MigrationRun,
  recordFailedStep,
  runMigrationScript,
  type ScriptOutcome,
} from '../shared/migration-run.ts';
import { sqlState } from '../shared/postgres-errors.ts';
import type { MigrateResult } from './contract.ts';
import type { MigrateContext } from './run-migrate.ts';
import { watchLockWaits } from './watch-lock-waits.ts';

/** Applies or reverts one file; throws after the rollback, with the failure recorded in a transaction of its own. */
export async function runFile(
  context: MigrateContext,
  session: DatabaseSession,
  migration: Migration,
  direction: MigrationDirection,
): Promise<MigrateResult['done'][number]> {
  const run: MigrationRun = {
    kind: 'application',
    requestedBy: context.event.requestedBy ?? '',
    requestId: context.runId,
    clock: context.clock,
    signal: context.signal,
    ...(context.mayWatch ? { watch: (watched) => watchLockWaits(context, watched.processId) } : {}),
  };
  const { number, name } = migration;
  // Migrations see the search path that the role has everywhere else, not the one of the product's own queries.
  await session.query('reset search_path');
  await session.query('begin');
  const outcome = await runInTransaction(session, run, migration, direction);
  if (!outcome.ok) {
    await recordFailure(context, session, run, migration, direction, outcome);
    throw outcome.failure;
  }
  await commit(session, migration);
  const { durationMs, steps } = outcome;
  const done = { number, name, direction, statements: steps.length, durationMs };
  context.log.info(direction === 'up' ? 'migrate.file_applied' : 'migrate.file_reverted', done);
  return done;
}

async function runInTransaction(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
): Promise<ScriptOutcome> {
  try {
    return await runMigrationScript(session, run, migration, direction);
  } catch (error) {
    await session.query('rollback').catch(() => {});
    if (error instanceof JobFailure) throw error;
    throw new JobFailure({
      code: 'database.statement_failed',
      problem: `the record of migration ${migration.number} "${migration.name}" could not be written${sqlState(error) === undefined ? '' : ` (SQLSTATE ${sqlState(error)})`}: ${describeError(error)}`,
      safeState: 'The transaction of this file was rolled back; files before it stay as they were recorded',
      hint: 'migrate must log in as nightshift_migrate, which owns schema nightshift; bootstrap sets that up',
      cause: error,
    });
  }
}

/** Best effort on purpose: the migration has failed already, and a lost record must not hide why. */
async function recordFailure(
  context: MigrateContext,
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
  outcome: Extract<ScriptOutcome, { ok: false }>,
): Promise<void> {
  try {
    await session.query('rollback');
    await recordFailedStep(session, run, migration, direction, outcome);
  } catch {
    // The session is gone with its transaction; another one can still write the record.
    await context.database
      .withSession(async (other) => await recordFailedStep(other, run, migration, direction, outcome))
      .catch((error: unknown) => context.log.error('migrate.failure_not_recorded', { problem: describeError(error) }));
  }
}

async function commit(session: DatabaseSession, migration: Migration): Promise<void> {
  try {
    await session.query('commit');
  } catch (error) {
    throw new JobFailure({
      code: 'migrate.statement_failed',
      problem: `the commit of migration ${migration.number} "${migration.name}" was not answered: ${describeError(error)}`,
      safeState: 'The server has either committed the file with its record, or neither of them',
      hint: 'ask for the status: it tells which',
      cause: error,
    });
  }
}
