// A migration file of which some statements are committed and the rest are not: a long one runs, or somebody has to go on with it.
import type { CheckDefinition, CheckRow } from '../check-definition.ts';
import { describeSeconds } from '../describe-finding.ts';
import { HALF_DONE_HOURS } from '../environment.ts';

export interface HalfDoneRow extends CheckRow {
  number: number;
  name: string;
  state: string;
  statements_done: number;
}

export const halfDoneMigration: CheckDefinition<HalfDoneRow> = {
  id: 'half-done-migration',
  tier: 'quarter-hour',
  unit: 'hours',
  sql: [{ sinceMajor: 14, file: 'half-done-migration.sql' }],
  thresholds: {
    warning: null,
    critical: HALF_DONE_HOURS,
    source: 'the longest index build that nobody need look at; a file that is half done at all is a warning',
  },
  needs: 'bootstrap',
  metric: 'MigrationHalfDoneHours',
  judge: (rows, { critical }) => {
    const [oldest] = rows;
    if (oldest === undefined) return { status: 'ok', value: 0, message: 'no migration is half done', fix: null };
    const { value, number, name, state, statements_done } = oldest;
    const what = `migration ${number} "${name}" is half done (${state}, ${statements_done} of its statements are committed)`;
    if (value === null) return { status: 'unknown', value, message: `${what}, nobody knows since when`, fix: null };
    const action = state === 'going down' ? 'down' : 'up';
    return {
      status: critical !== null && value >= critical ? 'critical' : 'warning',
      value,
      message: `${what} for ${describeSeconds(value * 3_600)}; ask migrate for its status: if nothing runs, ${action} goes on`,
      fix: null,
    };
  },
};
