// Runs a migration file in a scratch database, unit by unit as migrate does, without history and without retries.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import type { MigrationScript } from '../../shared/migration-files.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { unitsOf } from '../../shared/migration-units.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import type { Scratch } from './scratch-server.ts';

/** Of sql/migrate/group-role-stand-ins.sql: a role is missing, whose name is the detail. */
const GROUP_ROLE_WANTED = 'NSR01';

/** What went wrong, in words that hold no row value; undefined when everything ran. */
export type ScriptProblem = string | undefined;

/** Runs the whole file; after a problem the units before it stay committed. Throws only when the session is lost. */
export async function runScript(
  scratch: Scratch,
  session: DatabaseSession,
  script: MigrationScript,
): Promise<ScriptProblem> {
  await prepareSession(session);
  for (const unit of unitsOf(script)) {
    const statements = unit.kind === 'transaction' ? unit.statements : [unit.statement];
    const isAlone = unit.kind === 'long';
    if (!isAlone) await session.query('begin');
    for (const statement of statements) {
      const problem = await runStatement(scratch, session, statement, !isAlone);
      if (problem === undefined) continue;
      if (!isAlone) await session.query('rollback');
      return describeProblem(script, statement, problem);
    }
    const late = isAlone ? undefined : await endTransaction(session);
    if (late !== undefined) return `${script.file}: at the end of a transaction: ${late}`;
    await dropUnwantedRoles(scratch, session);
  }
  return undefined;
}

/** Names are found as the role finds them elsewhere, and a statement may take as long as the run lasts. */
export async function prepareSession(session: DatabaseSession): Promise<void> {
  await session.query("reset search_path; set statement_timeout = 0; set nightshift.dropped_roles = ''");
}

/** Runs one statement, a second time after each group role that it asked for; in a transaction behind a savepoint. */
export async function runStatement(
  scratch: Scratch,
  session: DatabaseSession,
  statement: Pick<MigrationStatement, 'text'>,
  inTransaction: boolean,
): Promise<ScriptProblem> {
  for (;;) {
    scratch.signal.throwIfAborted();
    if (inTransaction) await session.query('savepoint statement');
    try {
      await session.query(statement.text);
      if (inTransaction) await session.query('release savepoint statement');
      return undefined;
    } catch (error) {
      if (isSessionLost(error)) throw error;
      if (inTransaction) await session.query('rollback to savepoint statement');
      const wanted = wantedRole(error);
      if (wanted === undefined) return serverWords(error);
      const refusal = await scratch.roles.make(wanted).catch(serverWords);
      if (refusal !== undefined) return `role "${wanted}" could not be made: ${refusal}`;
    }
  }
}

/** Checks deferred constraints, then commits; the problem with the transaction rolled back. */
export async function endTransaction(session: DatabaseSession): Promise<ScriptProblem> {
  try {
    await session.query('set constraints all immediate');
    await session.query('commit');
    return undefined;
  } catch (error) {
    if (isSessionLost(error)) throw error;
    await session.query('rollback');
    return serverWords(error);
  }
}

/** Drops the group roles that the last unit has given up; one on which something depends stays. */
export async function dropUnwantedRoles(scratch: Scratch, session: DatabaseSession): Promise<void> {
  const { rows } = await session.query<{ names: string | null }>(
    "select pg_catalog.current_setting('nightshift.dropped_roles', true) as names",
  );
  const names = (rows[0]?.names ?? '').split(' ').filter((name) => name !== '');
  if (names.length === 0) return;
  await session.query("set nightshift.dropped_roles = ''");
  for (const name of names) await scratch.roles.drop(name);
}

export function describeProblem(script: MigrationScript, statement: MigrationStatement, problem: string): string {
  return `${script.file}:${statement.line}: statement ${statement.number} "${statement.firstLine}" failed: ${problem}`;
}

function wantedRole(error: unknown): string | undefined {
  if (sqlState(error) !== GROUP_ROLE_WANTED || !(error instanceof Error)) return undefined;
  const detail = Reflect.get(error, 'detail');
  return typeof detail === 'string' ? detail : undefined;
}

/** The message without the detail, which can quote a row. */
function serverWords(error: unknown): string {
  if (isSessionLost(error)) throw error;
  const state = sqlState(error);
  return `${state === undefined ? '' : `SQLSTATE ${state}: `}${describeError(error)}`;
}
