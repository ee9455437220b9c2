// A retention policy that no purge has carried out for long: rows past their period are still there, whatever the last run said.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeSeconds } from '../describe-finding.ts';

export interface PurgeLagRow extends CheckRow {
  policy: string;
  /** No purge of it has ever been finished. */
  is_first: boolean;
}

export const purgeLag: CheckDefinition<PurgeLagRow> = {
  id: 'purge-lag',
  tier: 'quarter-hour',
  unit: 'seconds',
  sql: [{ sinceMajor: 14, file: 'purge-lag.sql' }],
  thresholds: {
    warning: null,
    critical: null,
    source: 'three times the interval of schedules.purge; none without a schedule',
  },
  needs: 'bootstrap',
  metric: 'PurgeLagSeconds',
  judge: (rows, thresholds) => {
    const [longest] = rows;
    if (longest === undefined) return { status: 'ok', value: 0, message: 'no retention policy is enabled', fix: null };
    const { value, policy, is_first } = longest;
    const since = describeSeconds(value ?? 0);
    const limit = thresholds.critical === null ? '' : `; the limit is ${describeSeconds(thresholds.critical)}`;
    const what = is_first
      ? `policy "${policy}" has waited for its first finished purge for ${since}`
      : `policy "${policy}" waits longest: its last finished purge, or its last change, was ${since} ago`;
    return { status: gradeValue(value, thresholds), value, message: `${what}${limit}`, fix: null };
  },
};
