// Checks the preconditions of a policy and builds its statements. Deletes nothing.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { Log } from '../shared/log.ts';
import { sqlState } from '../shared/postgres-errors.ts';
import { findProblems } from './find-problems.ts';
import { inTransaction } from './in-transaction.ts';
import { buildStatements, type PurgeStatements } from './purge-statements.ts';
import type { RetentionPolicy } from './read-policies.ts';
import { readTableFacts, type TableFacts } from './read-table-facts.ts';

export interface PreparedPolicy {
  readonly policy: RetentionPolicy;
  readonly facts: TableFacts;
  readonly statements: PurgeStatements;
  readonly cutoff: string;
}

/** A policy that may run; throws `purge.refused` naming everything that stands in its way. */
export async function preparePolicy(
  session: DatabaseSession,
  log: Log,
  policy: RetentionPolicy,
): Promise<PreparedPolicy> {
  const facts = await readTableFacts(session, policy);
  const problems = findProblems(policy, facts);
  if (facts === undefined || problems.length > 0) {
    throw refuse(policy, problems.map(({ problem }) => problem).join('; '), problems[0]?.hint ?? '');
  }
  if (!facts.has_index) {
    log.warn('purge.index_missing', { policy: policy.name, column: policy.timestamp_column, bytes: facts.bytes });
  }
  const statements = buildStatements(policy, facts);
  await checkPredicate(session, policy, statements.checkPredicate);
  return { policy, facts, statements, cutoff: policy.cutoff };
}

async function checkPredicate(
  session: DatabaseSession,
  policy: RetentionPolicy,
  statement: string | null,
): Promise<void> {
  if (statement === null) return;
  try {
    // The parameter brings the extended protocol, which takes one statement only.
    await inTransaction(session, 'begin read only', async () => await session.query(statement, ['']));
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || state.startsWith('57P')) throw error;
    throw refuse(
      policy,
      `the server does not accept its predicate as one condition: ${describeError(error)} (SQLSTATE ${state})`,
      'correct the predicate by a migration; functions and types outside pg_catalog need their schema',
    );
  }
}

function refuse(policy: RetentionPolicy, problem: string, hint: string): JobFailure {
  return new JobFailure({
    code: 'purge.refused',
    problem: `policy "${policy.name}": ${problem}`,
    safeState: 'Nothing was deleted by this policy',
    hint,
  });
}
