// Purge from policies to result: lock, check, then one policy after the other. Deletes nothing without a policy row.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { PolicyResult, PurgeEvent, PurgeResult } from './contract.ts';
import { explainFailure } from './explain-failure.ts';
import { planPolicy } from './plan-policy.ts';
import { preparePolicy } from './prepare-policy.ts';
import { type RetentionPolicy, readPolicies } from './read-policies.ts';
import { runPolicy } from './run-policy.ts';
import { closeVanishedRuns } from './run-state.ts';

interface PurgeDependencies extends Pick<JobContext, 'runId' | 'clock' | 'log' | 'metrics' | 'signal'> {
  database: Database;
  event: PurgeEvent;
  batchRows: number;
}

/**
 * Carries out the policies, or plans them when the event asks for a dry run.
 *
 * A policy that is refused or fails does not keep the others from running; the run throws at its end then. A second run
 * beside this one throws `job.locked` naming it.
 */
export async function runPurge(deps: PurgeDependencies): Promise<PurgeResult> {
  const dryRun = deps.event.dryRun ?? false;
  return await deps.database.withSession(async (session) => {
    await session.query(readSqlFile('purge/session.sql'));
    const policies = await readPolicies(session, deps.event.policyId);
    if (policies.length === 0) deps.log.info('purge.no_policy');
    let unlock = async () => {};
    if (!dryRun) {
      unlock = await requireAdvisoryLock(session, {
        name: 'nightshift:purge',
        mode: 'exclusive',
        job: 'purge',
        safeState: 'Nothing was deleted',
      });
      await closeVanishedRuns(session, deps.log);
    }
    const { results, failures } = await runAll(deps, session, policies, dryRun);
    // A session that is gone has no lock to give back. Not in a finally: after any error it is closed, lock and all.
    if (failures.some(({ code }) => code === 'database.session_lost')) throw joinFailures(failures, results);
    await unlock();
    const rowsDeleted = results.reduce((sum, result) => sum + result.rowsDeleted, 0);
    if (!dryRun) deps.metrics.put('RowsPurged', rowsDeleted);
    if (failures.length > 0) throw joinFailures(failures, results);
    const complete = results.length === policies.length && results.every(({ state }) => state !== 'stopped');
    return { dryRun, complete, rowsDeleted, policies: results };
  });
}

async function runAll(
  deps: PurgeDependencies,
  session: DatabaseSession,
  policies: readonly RetentionPolicy[],
  dryRun: boolean,
): Promise<{ results: PolicyResult[]; failures: JobFailure[] }> {
  const results: PolicyResult[] = [];
  const failures: JobFailure[] = [];
  for (const policy of policies) {
    if (deps.signal.aborted) break;
    try {
      const prepared = await preparePolicy(session, deps.log, policy);
      const { clock, log, signal, batchRows, runId: requestId } = deps;
      const { requestedBy } = deps.event;
      const result = dryRun
        ? await planPolicy(session, clock, prepared, batchRows)
        : await runPolicy({ session, clock, log, signal, batchRows, requestId, requestedBy }, prepared);
      deps.log.info(dryRun ? 'purge.policy_planned' : 'purge.policy_carried_out', { ...result });
      results.push(result);
    } catch (error) {
      // A defect of this program must not look like a failure of the database.
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      const failure = explainFailure(policy.name, 0, error);
      deps.log.error('purge.policy_failed', { policy: policy.name, code: failure.code, problem: failure.problem });
      failures.push(failure);
      // Nothing can run in a session that is gone.
      if (failure.code === 'database.session_lost') break;
    }
  }
  return { results, failures };
}

function joinFailures(failures: readonly JobFailure[], results: readonly PolicyResult[]): JobFailure {
  const [first, ...more] = failures;
  if (first === undefined) throw new RangeError('there is no failure to join');
  const others = results.length === 0 ? '' : `; ${results.length} other policies were carried out`;
  return new JobFailure({
    code: first.code,
    problem: failures.map(({ problem }) => problem).join('; '),
    safeState: `${first.safeState}${others}`,
    hint: more.length === 0 ? first.hint : `for the first one: ${first.hint}`,
    cause: first.cause,
  });
}
