// Runs one statement of a migration and records statements. Called by migrate and, through migration-run.ts, by bootstrap; never
// begins, commits or rolls back itself.
import type { Clock } from './clock.ts';
import type { DatabaseSession } from './database.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { Migration, MigrationScript } from './migration-files.ts';
import type { MigrationStatement } from './migration-statements.ts';
import { excerptOf, firstCharacters, placeOf } from './migration-text.ts';
import { INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, sqlState } from './postgres-errors.ts';
import { readSqlFile } from './sql-files.ts';

export type MigrationKind = 'application' | 'nightshift';
export type MigrationDirection = 'up' | 'down';

export interface MigrationRun {
  readonly kind: MigrationKind;
  readonly requestedBy: string;
  readonly requestId: string;
  readonly clock: Clock;
  /** The plan that an up is bound to. */
  readonly planHash?: string | undefined;
  /** Checked between statements. */
  readonly signal: AbortSignal;
  /** Watches one statement; its end tells how long it waited for locks. Absent: nobody looks. */
  readonly watch?: (session: DatabaseSession) => LockWatch;
}

export interface LockWatch {
  /** Both null when nobody could look; `blockers` also when nothing was in the way. */
  stop(): Promise<{ waitMs: number | null; blockers: string | null }>;
}

export interface MigrationStep {
  readonly statement: Pick<MigrationStatement, 'number' | 'line' | 'column' | 'firstLine' | 'text'>;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly lockWaitMs: number | null;
  /** How often its unit was tried again before. */
  readonly retries: number;
}

export interface FailedStep {
  readonly ok: false;
  readonly step: MigrationStep;
  readonly sqlstate: string | null;
  readonly error: string;
  readonly failure: JobFailure;
}

/** What is said of a file whose transaction did not commit. */
export const FILE_ROLLED_BACK =
  'The transaction of this file was rolled back; files before it stay as they were recorded';

/** Runs a statement as it stands in the file; a failure is answered with its place, and is not thrown. */
export async function runStatement(
  session: DatabaseSession,
  run: MigrationRun,
  script: MigrationScript,
  statement: MigrationStep['statement'],
  safeState = FILE_ROLLED_BACK,
): Promise<{ ok: true; step: MigrationStep } | FailedStep> {
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
  const step = { statement, startedAt, durationMs, lockWaitMs: waitMs, retries: 0 };
  if (thrown === undefined) return { ok: true, step };
  // The job ran out of time and cancelled the statement: that is the reason to tell, not the server's 57014.
  const aborted: unknown = run.signal.aborted ? run.signal.reason : undefined;
  const failure =
    aborted instanceof JobFailure ? aborted : statementFailure(script, statement, thrown, { blockers, safeState });
  return { ok: false, step, sqlstate: sqlState(thrown) ?? null, error: describeError(thrown), failure };
}

/**
 * Adds the rows of statements that ran, in one round trip; with `failed` they are those of a statement that did not.
 *
 * `durationMs` is added to the time that the file has taken.
 */
export async function recordSteps(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Pick<Migration, 'number' | 'name'>,
  direction: MigrationDirection,
  steps: readonly MigrationStep[],
  { failed, durationMs }: { failed?: Pick<FailedStep, 'sqlstate' | 'error'>; durationMs?: number } = {},
): Promise<void> {
  const rows = steps.map(({ statement, startedAt, durationMs: ms, lockWaitMs, retries }) => ({
    statement_number: statement.number,
    line: statement.line,
    statement: statement.firstLine,
    started_at: startedAt,
    finished_at: new Date(startedAt.getTime() + ms),
    duration_ms: ms,
    lock_wait_ms: lockWaitMs,
    retries,
  }));
  const values = [
    run.requestId,
    run.kind,
    migration.number,
    migration.name,
    direction,
    failed ? 'failed' : 'done',
    failed?.sqlstate ?? null,
    failed?.error ?? null,
    run.requestedBy,
    JSON.stringify(rows),
    durationMs ?? null,
  ];
  await session.query(readSqlFile('session/record-migration-steps.sql'), values, { prepareAs: 'record-steps' });
}

/** The failure of one statement with its place in the file; the server's detail is left out, it can hold row values. */
function statementFailure(
  script: MigrationScript,
  statement: MigrationStep['statement'],
  error: unknown,
  { blockers, safeState }: { blockers: string | null; safeState: string },
): JobFailure {
  const { line, column } = placeInFile(statement, error);
  const state = sqlState(error);
  const waited = state === LOCK_NOT_AVAILABLE && blockers !== null ? `; the lock was held by ${blockers}` : '';
  const where = routineOf(error);
  return new JobFailure({
    code: 'migrate.statement_failed',
    problem: `${script.file}:${line}:${column}: statement ${statement.number} "${statement.firstLine}" failed${state === undefined ? '' : ` (SQLSTATE ${state})`}: ${describeError(error)}${where}${waited}`,
    safeState,
    hint: hintOf(state, error),
    excerpt: excerptOfError(statement, error),
    cause: error,
  });
}

function hintOf(state: string | undefined, error: unknown): string {
  if (state === LOCK_NOT_AVAILABLE) return 'run it again when the other session has ended, or raise LOCK_TIMEOUT_MS';
  if (state === INSUFFICIENT_PRIVILEGE) {
    return 'what a migration changes must belong to the role that runs it, nightshift_migrate, or be granted to it';
  }
  const hint = error instanceof Error ? Reflect.get(error, 'hint') : undefined;
  if (typeof hint === 'string' && hint !== '') return `the server says: ${hint.replace(/\.$/, '')}`;
  return 'correct the file, which is not recorded as applied, and run it again';
}

function excerptOfError(statement: MigrationStep['statement'], error: unknown): string | undefined {
  const position = positionOf(error);
  return position === undefined ? undefined : excerptOf(statement.text, position, statement.line);
}

/** Characters before the place in the statement that the server names. */
function positionOf(error: unknown): number | undefined {
  const position = error instanceof Error ? Number(Reflect.get(error, 'position')) : Number.NaN;
  return Number.isInteger(position) && position >= 1 ? position - 1 : undefined;
}

function placeInFile(statement: MigrationStep['statement'], error: unknown): { line: number; column: number } {
  const position = positionOf(error);
  if (position === undefined) return statement;
  const inside = placeOf(firstCharacters(statement.text, position));
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
