// Sessions that opened a transaction and went away: their locks and their snapshot stay.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import {
  describeCount,
  describeSeconds,
  describeSession,
  type SessionNames,
  terminateFix,
} from '../describe-finding.ts';

export interface IdleInTransactionRow extends CheckRow, SessionNames {
  xmin_age: number;
  server_timeout: string;
}

export const idleInTransaction: CheckDefinition<IdleInTransactionRow> = {
  id: 'idle-in-transaction',
  tier: 'minute',
  unit: 'seconds',
  sql: [{ sinceMajor: 14, file: 'idle-in-transaction.sql' }],
  thresholds: { warning: 300, critical: 900, source: 'pgMonitor: 300 s and 900 s' },
  needs: 'pg_monitor',
  judge: (rows, thresholds) => {
    const [longest] = rows;
    if (longest === undefined) {
      return { status: 'ok', value: 0, message: 'no session is idle in a transaction', fix: null };
    }
    if (longest.value === null) {
      return {
        status: 'unknown',
        value: null,
        message: `how long ${describeSession(longest)} has been idle could not be read`,
        fix: null,
      };
    }
    const holds = longest.xmin_age > 0 ? `; its snapshot is ${describeCount(longest.xmin_age)} transactions old` : '';
    const endless =
      longest.server_timeout === '0'
        ? '; the server lets it, because idle_in_transaction_session_timeout is 0'
        : `; the server ends such sessions after ${longest.server_timeout}`;
    return {
      status: gradeValue(longest.value, thresholds),
      value: longest.value,
      message: `${describeSession(longest)} has been idle in a transaction for ${describeSeconds(longest.value)}${holds}${endless}`,
      fix: terminateFix(longest.pid),
    };
  },
};
