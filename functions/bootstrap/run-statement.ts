// Runs one statement of bootstrap; a refusal by the server becomes a failure that shows no verifier.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState } from '../shared/postgres-errors.ts';
import type { ServerFacts } from './check-administrator.ts';
import type { PlannedStatement } from './planned-statement.ts';

/** Everything of bootstrap is one transaction, so that a failure leaves nothing behind. */
export const ROLLED_BACK = 'Everything was rolled back: no role, right or schema was changed';

/** Runs the statement, or throws `bootstrap.refused`. */
export async function runStatement(
  session: DatabaseSession,
  statement: PlannedStatement,
  facts: ServerFacts,
): Promise<void> {
  try {
    await session.query(statement.sql);
  } catch (error) {
    throw refusal(statement, error, facts);
  }
}

/** Runs the statement in a savepoint and returns why the server did not permit it; any other error throws. */
export async function tryStatement(
  session: DatabaseSession,
  statement: PlannedStatement,
  facts: ServerFacts,
): Promise<string | undefined> {
  await session.query('savepoint optional_statement');
  try {
    await session.query(statement.sql);
    await session.query('release savepoint optional_statement');
    return undefined;
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw refusal(statement, error, facts);
    await session.query('rollback to savepoint optional_statement');
    return describeError(error);
  }
}

function refusal(statement: PlannedStatement, error: unknown, facts: ServerFacts): JobFailure {
  const state = sqlState(error);
  return new JobFailure({
    code: 'bootstrap.refused',
    problem: `${statement.what} could not be set up: "${statement.shown}" failed${state === undefined ? '' : ` (SQLSTATE ${state})`}: ${describeError(error)}`,
    safeState: ROLLED_BACK,
    hint:
      state === INSUFFICIENT_PRIVILEGE
        ? `role "${facts.administrator}" lacks this right: let a superuser or rds_superuser, the owner of database "${facts.database}" ("${facts.database_owner}") or the one who made the role run the statement, then run bootstrap again`
        : 'look at the message of the server',
    // The error of the driver carries no statement text, but its cause chain is not printed either way.
    cause: error,
  });
}
