// What a run of a policy would do: counts only, nothing is locked or written. The end of a dry run.
import type { Clock } from '../shared/clock.ts';
import type { DatabaseSession } from '../shared/database.ts';
import type { PolicyResult } from './contract.ts';
import { countRows } from './count-rows.ts';
import type { PreparedPolicy } from './prepare-policy.ts';

/** Rows past retention, the oldest of them, and how many batches they make. */
export async function planPolicy(
  session: DatabaseSession,
  clock: Clock,
  prepared: PreparedPolicy,
  defaultBatchRows: number,
): Promise<PolicyResult> {
  const { policy, cutoff } = prepared;
  const startedMs = clock.monotonicMs();
  const counts = await countRows(session, prepared);
  return {
    policy: policy.name,
    table: `${policy.schema_name}.${policy.table_name}`,
    cutoff,
    state: 'planned',
    rowsDeleted: 0,
    skipped: { held: counts.held, referenced: 0, other: 0 },
    rowsLeft: counts.rows,
    rowsPastRetention: counts.rows,
    oldest: counts.oldest,
    estimatedBatches: Math.ceil((counts.rows - counts.held) / (policy.batch_rows ?? defaultBatchRows)),
    batches: 0,
    durationMs: Math.round(clock.monotonicMs() - startedMs),
  };
}
