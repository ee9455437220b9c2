// Rows past retention that the last purges have left: locked, referenced, kept by a trigger, or more than they came to.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeCount } from '../describe-finding.ts';
import { PURGE_BACKLOG_ROWS } from '../environment.ts';

export interface PurgeBacklogRow extends CheckRow {
  policies: number;
  /** Policies of which no run has counted what is left. */
  uncounted: number;
  largest_policy: string | null;
  largest: number | null;
}

export const purgeBacklog: CheckDefinition<PurgeBacklogRow> = {
  id: 'purge-backlog',
  tier: 'quarter-hour',
  unit: 'count',
  sql: [{ sinceMajor: 14, file: 'purge-backlog.sql' }],
  thresholds: {
    warning: PURGE_BACKLOG_ROWS,
    critical: null,
    source: 'more than the batches that meet locks; alarms.purgeMaxBacklogRows',
  },
  needs: 'bootstrap',
  metric: 'PurgeBacklogRows',
  judge: (rows, thresholds) => {
    const [all] = rows;
    if (all === undefined || all.value === null)
      return { status: 'unknown', value: null, message: 'what the last purges have left could not be read', fix: null };
    const { value, policies, uncounted, largest_policy, largest } = all;
    if (policies === 0) return { status: 'ok', value: 0, message: 'no retention policy is enabled', fix: null };
    // Of a policy that waits for its first purge nothing is known, and purge-lag says for how long.
    const hidden = uncounted === 0 ? '' : `; of ${uncounted} of ${policies} policies no purge has counted yet`;
    const most = value > 0 ? `, most by policy "${largest_policy ?? ''}" (${describeCount(largest ?? 0)})` : '';
    return {
      status: gradeValue(value, thresholds),
      value,
      message: `the last purges have left ${describeCount(value)} rows past retention that no legal hold keeps${most}${hidden}`,
      fix: null,
    };
  },
};
