// A stop flag that somebody has forgotten: while it stands no purge begins another batch.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeSeconds } from '../describe-finding.ts';

export interface PurgeStopRow extends CheckRow {
  placed_by: string;
  flags: number;
}

export const purgeStop: CheckDefinition<PurgeStopRow> = {
  id: 'purge-stop',
  tier: 'quarter-hour',
  unit: 'hours',
  sql: [{ sinceMajor: 14, file: 'purge-stop.sql' }],
  thresholds: { warning: 24, critical: null, source: 'a day: by then a nightly purge was left out' },
  needs: 'bootstrap',
  judge: (rows, thresholds) => {
    const [oldest] = rows;
    if (oldest === undefined) return { status: 'ok', value: 0, message: 'no stop flag of purge is set', fix: null };
    const { value, placed_by, flags } = oldest;
    const more = flags > 1 ? `, and ${flags - 1} more` : '';
    const status = gradeValue(value, thresholds);
    return {
      status,
      value,
      message: `purge is stopped for ${describeSeconds((value ?? 0) * 3_600)} by a flag that "${placed_by}" has set${more}; its reason stands in nightshift.purge_stop`,
      fix:
        status === 'ok'
          ? null
          : 'update nightshift.purge_stop set lifted_at = clock_timestamp(), lifted_by = session_user where lifted_at is null; -- lock: ROW EXCLUSIVE on that table; the next purge deletes again',
    };
  },
};
