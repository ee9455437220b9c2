// Transactions of applications that have been open for long: they hold locks and keep vacuum from its work.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeSeconds, describeSession, type SessionNames, terminateFix } from '../describe-finding.ts';

export interface LongTransactionRow extends CheckRow, SessionNames {
  state: string | null;
}

export const longTransactions: CheckDefinition<LongTransactionRow> = {
  id: 'long-transactions',
  tier: 'minute',
  unit: 'seconds',
  sql: [{ sinceMajor: 14, file: 'long-transactions.sql' }],
  thresholds: { warning: 900, critical: 3_600, source: '15 min and 1 h: far above any request, well below a night' },
  needs: 'pg_monitor',
  judge: (rows, thresholds) => {
    const [oldest] = rows;
    if (oldest === undefined) return { status: 'ok', value: 0, message: 'no transaction is open', fix: null };
    if (oldest.value === null) {
      return {
        status: 'unknown',
        value: null,
        message: `the age of the transaction of ${describeSession(oldest)} could not be read`,
        fix: null,
      };
    }
    return {
      status: gradeValue(oldest.value, thresholds),
      value: oldest.value,
      message: `the oldest transaction, of ${describeSession(oldest)}, has been open for ${describeSeconds(oldest.value)} and is ${oldest.state ?? 'in an unknown state'}`,
      fix: terminateFix(oldest.pid),
    };
  },
};
