// Runs a whole up script inside the caller's transaction, with its row in the history and a row for every statement. Called by
// bootstrap for schema nightshift; migrate runs its files unit by unit. Never begins, commits or rolls back itself.
import type { DatabaseSession } from './database.ts';
import type { Migration, MigrationScript } from './migration-files.ts';
import {
  type FailedStep,
  type MigrationDirection,
  type MigrationRun,
  recordSteps,
  runStatement,
} from './migration-steps.ts';
import { overtaken } from './overtaken-run.ts';
import { LOCK_NOT_AVAILABLE, sqlState, UNIQUE_VIOLATION } from './postgres-errors.ts';
import { quoteIdentifier } from './quote-identifier.ts';
import { readSqlFile } from './sql-files.ts';

/** Constraints that wait for the commit are checked here, where the failure can still be recorded with its file. */
export const CHECK_DEFERRED = {
  text: 'set constraints all immediate',
  firstLine: 'deferred constraints at the end of the file',
};

/**
 * Runs the up script and its record in the caller's transaction; a failed statement is answered, and has broken it.
 *
 * The row in nightshift.migration comes first (only the very first file of schema nightshift makes that table itself).
 */
export async function runMigrationScript(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
): Promise<{ ok: true } | FailedStep> {
  const { up } = migration;
  const startedMs = run.clock.monotonicMs();
  const { rows } = await session.query<{ role: string }>('select current_user as role');
  const historyFirst = await hasHistory(session);
  if (historyFirst) await addToHistory(session, run, migration);
  const steps = [];
  const last = up.statements.at(-1);
  for (const statement of [...up.statements, ...(last ? [{ ...last, ...CHECK_DEFERRED }] : [])]) {
    run.signal.throwIfAborted();
    const outcome = await runStatement(session, run, up, statement);
    if (!outcome.ok) return outcome;
    steps.push(outcome.step);
  }
  // A file may have said SET LOCAL ROLE; the record is written as the role that began.
  await session.query(`set local role ${quoteIdentifier(rows[0]?.role ?? '')}`);
  if (!historyFirst) await addToHistory(session, run, migration);
  const durationMs = Math.round(run.clock.monotonicMs() - startedMs);
  await recordSteps(session, run, migration, 'up', steps.slice(0, up.statements.length), { durationMs });
  return { ok: true };
}

/** The script of a direction; a migration without a down file cannot be asked for one. */
export function scriptOf(migration: Migration, direction: MigrationDirection): MigrationScript {
  const script = direction === 'up' ? migration.up : migration.down;
  if (!script) throw new TypeError(`migration ${migration.number} has no ${direction} script`);
  return script;
}

/** Whether nightshift.migration exists. */
export async function hasHistory(session: DatabaseSession): Promise<boolean> {
  const { rows } = await session.query<{ present: boolean }>(readSqlFile('session/migration-history-exists.sql'));
  return rows[0]?.present === true;
}

async function addToHistory(session: DatabaseSession, run: MigrationRun, migration: Migration): Promise<void> {
  const { number, name, up } = migration;
  const values = [run.kind, number, name, up.checksum, run.requestedBy, run.requestId];
  try {
    await session.query(readSqlFile('session/record-migration.sql'), values);
  } catch (error) {
    // The rival has committed its row, or has not yet and we waited for it up to lock_timeout.
    const state = sqlState(error);
    if (state !== UNIQUE_VIOLATION && state !== LOCK_NOT_AVAILABLE) throw error;
    throw overtaken(migration, 'is being applied or was applied by another run', error);
  }
}
