// Answers of purge as its contract wants them, for tests of what reads them.
import { type PolicyResult, type PurgeResult, policyResult, purgeResult } from '../../functions/purge/contract.ts';

/** What a run says of one policy: one row deleted, nothing left. */
export function policyAnswer(more: Partial<PolicyResult> = {}): PolicyResult {
  return policyResult.parse({
    policy: 'old-orders',
    version: 1,
    table: 'app.orders',
    action: 'delete',
    cutoff: '2025-11-22T03:30:00Z',
    state: 'finished',
    pause: null,
    series: '1',
    rowsDone: 1,
    children: [],
    skipped: { held: 0, referenced: 0, other: 0 },
    rowsLeft: 0,
    oldest: null,
    archive: null,
    partitions: [],
    plan: null,
    warnings: [],
    vacuum: 'not needed',
    certificateKey: null,
    batches: 1,
    slowestBatchMs: 80,
    durationMs: 500,
    ...more,
  });
}

/** The answer of a run that is complete, of the given policies. */
export function purgeAnswer(policies: readonly PolicyResult[], more: Partial<PurgeResult> = {}): PurgeResult {
  return purgeResult.parse({
    dryRun: false,
    complete: true,
    waitSeconds: 0,
    rowsDone: policies.reduce((sum, { rowsDone }) => sum + rowsDone, 0),
    planHash: null,
    piiWithoutPolicy: [],
    policies,
    ...more,
  });
}
