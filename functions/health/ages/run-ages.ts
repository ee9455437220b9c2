// The ages of backups and drills, from S3 alone. Health runs this before it opens the database, and sends the metrics at once:
// a database that cannot be reached must not silence them. Never throws: what could not be read is unknown.
import type { Clock } from '../../shared/clock.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { Log } from '../../shared/log.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import type { CheckResult } from '../contract.ts';
import { type AgeCheckId, type AgeLimits, ageChecks } from './age-checks.ts';
import { judgeAges } from './judge-ages.ts';
import { type AgeFacts, readAges } from './read-ages.ts';

interface AgeDependencies {
  store: ObjectStore;
  database: string;
  limits: AgeLimits;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** S3 that does not answer must not use up the time of the checks of the database: a third of the shortest time limit. */
const LONGEST_MS = 20_000;

/** The results of the age checks; their metrics are sent when this returns, without a datapoint where there is no value. */
export async function runAges(deps: AgeDependencies): Promise<CheckResult[]> {
  const { clock, log, metrics } = deps;
  const startedMs = clock.monotonicMs();
  const results = judgeAges(await readInTime(deps), deps.limits);
  for (const { id, status, value } of results) {
    const duration_ms = Math.round(clock.monotonicMs() - startedMs);
    log.info('health.checked', { check: id, status, value, duration_ms });
    if (value === null) continue;
    for (const metric of ageChecks[id as AgeCheckId].metrics) metrics.put(metric, value);
  }
  metrics.flush();
  return results;
}

async function readInTime({ store, database, limits, clock }: AgeDependencies): Promise<AgeFacts | string> {
  const over = new AbortController();
  const late = async () => {
    await clock.sleep(LONGEST_MS, over.signal);
    return `S3 has not answered within ${LONGEST_MS / 1_000} s`;
  };
  try {
    return await Promise.race([readAges(store, database, limits, clock.now()), late()]);
  } catch (error) {
    return error instanceof JobFailure ? error.problem : describeError(error);
  } finally {
    over.abort();
  }
}
