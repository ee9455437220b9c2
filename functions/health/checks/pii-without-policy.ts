// Personal data that is classified as such and that no policy ever purges: kept for good, which nobody may have decided.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';

export interface PiiWithoutPolicyRow extends CheckRow {
  schema_name: string;
  table_name: string;
  columns: string[];
}

/** More names than this hide the table. */
const SHOWN_COLUMNS = 3;

export const piiWithoutPolicy: CheckDefinition<PiiWithoutPolicyRow> = {
  id: 'pii-without-policy',
  tier: 'daily',
  unit: 'count',
  sql: [{ sinceMajor: 14, file: 'pii-without-policy.sql' }],
  thresholds: {
    warning: 1,
    critical: null,
    source: 'GDPR article 5(1)(e): personal data is kept no longer than its purpose needs',
  },
  needs: 'bootstrap',
  judge: (rows, thresholds) => {
    const [first] = rows;
    if (first === undefined)
      return { status: 'ok', value: 0, message: 'every table with classified personal data has a policy', fix: null };
    const { value, schema_name, table_name, columns } = first;
    const rest = columns.length - SHOWN_COLUMNS;
    const named = `${columns.slice(0, SHOWN_COLUMNS).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    const others = (value ?? 1) - 1;
    const more = others > 0 ? `; ${others === 1 ? '1 more table has' : `${others} more tables have`} none either` : '';
    return {
      status: gradeValue(value, thresholds),
      value,
      message: `table "${schema_name}.${table_name}" has classified personal data (${named}) and no enabled retention policy, so it is kept for good${more}`,
      // A policy deletes: it is written by a migration that somebody has reviewed.
      fix: null,
    };
  },
};
