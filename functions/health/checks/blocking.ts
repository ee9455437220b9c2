// Who waits for a lock the longest, and who is at the root of the queue.
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeSeconds, describeSession, type SessionNames, terminateFix } from '../describe-finding.ts';

export interface BlockingRow extends CheckRow, SessionNames {
  waiting: number;
  state: string | null;
  open_seconds: number | null;
}

export const blocking: CheckDefinition<BlockingRow> = {
  id: 'blocking',
  tier: 'minute',
  unit: 'seconds',
  sql: [{ sinceMajor: 14, file: 'blocking.sql' }],
  thresholds: { warning: 30, critical: 120, source: 'check_postgres locks: 1 and 2 min; half for the warning' },
  needs: 'pg_monitor',
  judge: (rows, thresholds) => {
    const [root] = rows;
    if (root === undefined)
      return { status: 'ok', value: 0, message: 'no session waits for a lock of another', fix: null };
    if (root.value === null) {
      return {
        status: 'unknown',
        value: null,
        message: `how long sessions have waited for ${describeSession(root)} could not be read`,
        fix: null,
      };
    }
    // The server gives 0 as the pid of a prepared transaction that holds the lock.
    const holder = root.pid === 0 ? 'a prepared transaction (pg_prepared_xacts)' : describeSession(root);
    const open =
      root.open_seconds === null ? '' : `, whose transaction has been open for ${describeSeconds(root.open_seconds)}`;
    return {
      status: gradeValue(root.value, thresholds),
      value: root.value,
      message: `${root.waiting} ${root.waiting === 1 ? 'session waits' : 'sessions wait'}, the longest for ${describeSeconds(root.value)}, behind ${holder}${open}${root.state === null ? '' : `, ${root.state}`}`,
      fix:
        root.pid === 0
          ? 'select gid, prepared, owner from pg_prepared_xacts order by prepared; -- lock: none'
          : terminateFix(root.pid),
    };
  },
};
