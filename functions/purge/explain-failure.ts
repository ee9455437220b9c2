// Says in a person's words why a policy could not be carried out. Never repeats a row value.
import { describeError, JobFailure } from '../shared/job-failure.ts';
import {
  INSUFFICIENT_PRIVILEGE,
  isSessionLost,
  LOCK_NOT_AVAILABLE,
  QUERY_CANCELED,
  sqlState,
} from '../shared/postgres-errors.ts';

/** The failure of a policy; `done` rows were deleted by earlier batches and stay deleted. */
export function explainFailure(policy: string, done: number, error: unknown): JobFailure {
  if (error instanceof JobFailure) {
    const problem = error.problem.startsWith('policy "') ? error.problem : `policy "${policy}": ${error.problem}`;
    return new JobFailure({ code: error.code, problem, safeState: error.safeState, hint: error.hint, cause: error });
  }
  const state = sqlState(error);
  const failure = (code: JobFailure['code'], problem: string, hint: string) =>
    new JobFailure({
      code,
      problem: `policy "${policy}": ${problem}`,
      safeState: `The current batch was rolled back; ${done} rows of this run were deleted before it and stay deleted`,
      hint,
      cause: error,
    });
  if (state === undefined || isSessionLost(error)) {
    return failure(
      'database.session_lost',
      `the server ended the session: ${describeError(error)}`,
      'run purge again: it goes on after the last batch',
    );
  }
  if (state === QUERY_CANCELED) {
    return failure(
      'database.statement_failed',
      `a statement was cancelled: ${describeError(error)}`,
      'lower batch_rows of the policy, or raise STATEMENT_TIMEOUT_MS; look for missing indexes on tables that reference this one',
    );
  }
  if (state === LOCK_NOT_AVAILABLE) {
    return failure(
      'job.locked',
      `a lock was not free within LOCK_TIMEOUT_MS: ${describeError(error)}`,
      'look for an open transaction that places a legal hold, or that alters the table',
    );
  }
  if (state === INSUFFICIENT_PRIVILEGE) {
    return failure('purge.refused', `a right is missing: ${describeError(error)}`, 'grant it to the role of purge');
  }
  return failure('database.statement_failed', describeWithoutValues(state, error), 'look at the log of the server');
}

/** Errors of class 22 (data exceptions) quote the value that did not fit; of those only the code is kept. */
function describeWithoutValues(state: string, error: unknown): string {
  return state.startsWith('22')
    ? `a value did not fit (SQLSTATE ${state}); the predicate or a trigger converts a column`
    : `${describeError(error)} (SQLSTATE ${state})`;
}
