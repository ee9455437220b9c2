// Health from server facts to result: one session, one check after the other. Changes nothing.
import type { Clock } from '../shared/clock.ts';
import type { Database } from '../shared/database.ts';
import type { Log } from '../shared/log.ts';
import type { Metrics } from '../shared/metrics.ts';
import type { CheckDefinition } from './check-definition.ts';
import type { CheckResult, HealthResult, Status, Tier } from './contract.ts';
import { readServerFacts } from './read-server-facts.ts';
import { runCheck } from './run-check.ts';

interface HealthDependencies {
  database: Database;
  tier: Tier;
  /** The results of the checks that need no database. */
  ages?: readonly CheckResult[];
  statementTimeoutMs: number;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  signal: AbortSignal;
  /** Those of the tier; some with a threshold that the config gives, and in tests with one that they can reach. */
  checks: readonly CheckDefinition[];
}

/** Runs the checks; throws when the database cannot be reached or the session is lost. */
export async function runHealth(deps: HealthDependencies): Promise<HealthResult> {
  const { log, metrics, clock, tier } = deps;
  return await deps.database.withSession(async (session) => {
    const server = await readServerFacts(session);
    const results: CheckResult[] = [...(deps.ages ?? [])];
    for (const check of deps.checks) {
      deps.signal.throwIfAborted();
      const startedMs = clock.monotonicMs();
      const result = await runCheck(session, check, server, deps.statementTimeoutMs);
      log.info('health.checked', {
        check: result.id,
        status: result.status,
        value: result.value,
        duration_ms: Math.round(clock.monotonicMs() - startedMs),
      });
      results.push(result);
      if (check.metric !== undefined && result.value !== null) metrics.put(check.metric, result.value);
    }
    const counts = countStatuses(results);
    metrics.put('HealthCritical', counts.critical);
    metrics.put('HealthWarning', counts.warning);
    metrics.put('HealthUnknown', counts.unknown);
    return {
      tier,
      serverVersion: server.version,
      inRecovery: server.inRecovery,
      counts,
      checks: results.toSorted((a, b) => SEVERITY.indexOf(a.status) - SEVERITY.indexOf(b.status)),
    };
  });
}

/** In the order in which a person should read them. */
const SEVERITY: readonly Status[] = ['critical', 'warning', 'unknown', 'ok'];

function countStatuses(results: readonly CheckResult[]): Record<Status, number> {
  const counts: Record<Status, number> = { ok: 0, warning: 0, critical: 0, unknown: 0 };
  for (const { status } of results) counts[status] += 1;
  return counts;
}
