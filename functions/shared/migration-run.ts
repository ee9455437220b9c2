// Runs one migration script statement by statement inside the caller's transaction, and records every statement there.
// Called by migrate and bootstrap; never begins, commits or rolls back itself.
import type { Clock } from './clock.ts';
import type { DatabaseSession } from './database.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { Migration, MigrationScript } from './migration-files.ts';
import { firstCharacters, type MigrationStatement, placeOf } from './migration-statements.ts';
import { LOCK_NOT_AVAILABLE, sqlState, UNIQUE_VIOLATION } from './postgres-errors.ts';
import { quoteIdentifier } from './quote-identifier.ts';
import { readSqlFile } from './sql-files.ts';

export type MigrationKind = 'application' | 'nightshift';
export type MigrationDirection = 'up' | 'down';

export interface MigrationRun {
  readonly kind: MigrationKind;
  readonly requestedBy: string;
  readonly requestId: string;
  readonly clock: Clock;
  /** Checked between statements. */
  readonly signal: AbortSignal;
  /** Watches one statement; its end tells how long it waited for locks. Absent: nobody looks. */
  readonly watch?: (session: DatabaseSession) => LockWatch;
}

export interface LockWatch {
  stop(): Promise<{ waitMs: number | null; blockers: string | null }>;
}

export interface MigrationStep {
  readonly statement: MigrationStatement;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly lockWaitMs: number | null;
}

export type ScriptOutcome =
  | { ok: true; steps: readonly MigrationStep[]; durationMs: number }
  | { ok: false; step: MigrationStep; sqlstate: string | null; error: string; failure: JobFailure };

/**
 * Runs a script and its record in the caller's transaction.
 *
 * The row in nightshift.migration comes first (only the very first file of schema nightshift makes that table itself).
 * On a failed statement the transaction is broken: the caller rolls back, then calls `recordFailedStep`.
 */
export async function runMigrationScript(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
): Promise<ScriptOutcome> {
  const script = scriptOf(migration, direction);
  const startedMs = run.clock.monotonicMs();
  const { rows } = await session.query<{ role: string }>('select current_user as role');
  const historyFirst = await hasHistory(session);
  if (historyFirst) await changeHistory(session, run, migration, direction);
  const steps: MigrationStep[] = [];
  for (const statement of script.statements) {
    run.signal.throwIfAborted();
    const outcome = await runStatement(session, run, script, statement);
    if (!outcome.ok) return outcome;
    steps.push(outcome.step);
  }
  // Constraints that wait for the commit are checked here, where the failure can still be recorded with its file.
  const last = script.statements.at(-1);
  if (last) {
    const check = {
      ...last,
      text: 'set constraints all immediate',
      firstLine: 'deferred constraints at the end of the file',
    };
    const outcome = await runStatement(session, run, script, check);
    if (!outcome.ok) return outcome;
  }
  // A file may have said SET LOCAL ROLE; the record is written as the role that began.
  await session.query(`set local role ${quoteIdentifier(rows[0]?.role ?? '')}`);
  if (!historyFirst) await changeHistory(session, run, migration, direction);
  for (const step of steps) await recordStep(session, run, migration, direction, step, null);
  const durationMs = Math.round(run.clock.monotonicMs() - startedMs);
  if (direction === 'up') {
    await session.query(readSqlFile('session/record-migration-duration.sql'), [run.kind, migration.number, durationMs]);
  }
  return { ok: true, steps, durationMs };
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

/** Adds the row of a failed statement; call it after the rollback, in a transaction of its own. */
export async function recordFailedStep(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
  outcome: Extract<ScriptOutcome, { ok: false }>,
): Promise<void> {
  await recordStep(session, run, migration, direction, outcome.step, outcome);
}

async function changeHistory(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
): Promise<void> {
  const key = [run.kind, migration.number] as const;
  if (direction === 'up') {
    const values = [...key, migration.name, migration.up.checksum, run.requestedBy, run.requestId];
    try {
      await session.query(readSqlFile('session/record-migration.sql'), values);
    } catch (error) {
      // The rival has committed its row, or has not yet and we waited for it up to lock_timeout.
      const state = sqlState(error);
      if (state !== UNIQUE_VIOLATION && state !== LOCK_NOT_AVAILABLE) throw error;
      throw overtaken(migration, 'is being applied or was applied by another run', error);
    }
    return;
  }
  const removed = await session.query(readSqlFile('session/remove-migration.sql'), [...key, migration.up.checksum]);
  if (removed.rowCount === 1) return;
  throw overtaken(migration, 'is no longer applied: another run has reverted it');
}

/** Two runs passed each other, although both should hold the lock: the history row of the first decides. */
function overtaken(migration: Migration, what: string, cause?: unknown): JobFailure {
  return new JobFailure({
    code: 'job.locked',
    problem: `migration ${migration.number} "${migration.name}" ${what}`,
    safeState: 'This run has changed nothing with it',
    hint: 'ask for the status and decide again',
    cause,
  });
}

async function runStatement(
  session: DatabaseSession,
  run: MigrationRun,
  script: MigrationScript,
  statement: MigrationStatement,
): Promise<{ ok: true; step: MigrationStep } | Extract<ScriptOutcome, { ok: false }>> {
  const startedAt = run.clock.now();
  const startedMs = run.clock.monotonicMs();
  const watch = run.watch?.(session);
  let thrown: unknown;
  try {
    await session.query(statement.text);
  } catch (error) {
    thrown = error;
  }
  const durationMs = Math.round(run.clock.monotonicMs() - startedMs);
  const { waitMs = null, blockers = null } = (await watch?.stop()) ?? {};
  const step = { statement, startedAt, durationMs, lockWaitMs: waitMs };
  if (thrown === undefined) return { ok: true, step };
  // The job ran out of time and cancelled the statement: that is the reason to tell, not the server's 57014.
  const aborted: unknown = run.signal.aborted ? run.signal.reason : undefined;
  const failure = aborted instanceof JobFailure ? aborted : statementFailure(script, statement, thrown, blockers);
  return { ok: false, step, sqlstate: sqlState(thrown) ?? null, error: describeError(thrown), failure };
}

async function recordStep(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
  step: MigrationStep,
  failed: { sqlstate: string | null; error: string } | null,
): Promise<void> {
  const { statement } = step;
  await session.query(readSqlFile('session/record-migration-step.sql'), [
    run.requestId,
    run.kind,
    migration.number,
    migration.name,
    direction,
    statement.number,
    statement.line,
    statement.firstLine,
    failed ? 'failed' : 'done',
    step.startedAt,
    new Date(step.startedAt.getTime() + step.durationMs),
    step.durationMs,
    step.lockWaitMs,
    0,
    failed?.sqlstate ?? null,
    failed?.error ?? null,
    run.requestedBy,
  ]);
}

/** The failure of one statement with its place in the file; the server's detail is left out, it can hold row values. */
function statementFailure(
  script: MigrationScript,
  statement: MigrationStatement,
  error: unknown,
  blockers: string | null,
): JobFailure {
  const { line, column } = placeInFile(statement, error);
  const state = sqlState(error);
  const waited = state === LOCK_NOT_AVAILABLE && blockers !== null ? `; the lock was held by ${blockers}` : '';
  const where = routineOf(error);
  return new JobFailure({
    code: 'migrate.statement_failed',
    problem: `${script.file}:${line}:${column}: statement ${statement.number} "${statement.firstLine}" failed${state === undefined ? '' : ` (SQLSTATE ${state})`}: ${describeError(error)}${where}${waited}`,
    safeState: 'The transaction of this file was rolled back; files before it stay as they were recorded',
    hint: hintOf(state, error),
    cause: error,
  });
}

function hintOf(state: string | undefined, error: unknown): string {
  if (state === LOCK_NOT_AVAILABLE) return 'run it again when the other session has ended, or raise LOCK_TIMEOUT_MS';
  const hint = error instanceof Error ? Reflect.get(error, 'hint') : undefined;
  if (typeof hint === 'string' && hint !== '') return `the server says: ${hint.replace(/\.$/, '')}`;
  return 'correct the file, which is not recorded as applied, and run it again';
}

function placeInFile(statement: MigrationStatement, error: unknown): { line: number; column: number } {
  const position = error instanceof Error ? Number(Reflect.get(error, 'position')) : Number.NaN;
  if (!Number.isInteger(position) || position < 1) return statement;
  const inside = placeOf(firstCharacters(statement.text, position - 1));
  return {
    line: statement.line + inside.line - 1,
    column: inside.line === 1 ? statement.column + inside.column - 1 : inside.column,
  };
}

function routineOf(error: unknown): string {
  const where = error instanceof Error ? Reflect.get(error, 'where') : undefined;
  if (typeof where !== 'string') return '';
  const frame = where.split('\n').find((text) => text.startsWith('PL/pgSQL function '));
  return frame === undefined ? '' : ` (in ${frame})`;
}
