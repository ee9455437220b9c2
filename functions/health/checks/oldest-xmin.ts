// Who keeps vacuum from removing dead rows, by name: a session, a replication slot, a prepared transaction or a standby.
import { quoteLiteral } from '../../shared/quote-identifier.ts';
import { type CheckDefinition, type CheckRow, gradeValue } from '../check-definition.ts';
import { describeCount, describeSeconds, describeSession, terminateFix } from '../describe-finding.ts';

export interface XminHolderRow extends CheckRow {
  kind: 'session' | 'slot' | 'prepared' | 'standby';
  /** The pid, the name of the slot or the id of the prepared transaction. */
  name: string;
  role_name: string | null;
  application_name: string | null;
  state: string | null;
  open_seconds: number | null;
}

export const oldestXmin: CheckDefinition<XminHolderRow> = {
  id: 'oldest-xmin',
  tier: 'minute',
  unit: 'transactions',
  sql: [{ sinceMajor: 14, file: 'oldest-xmin.sql' }],
  thresholds: {
    warning: 10_000_000,
    critical: 100_000_000,
    source: 'half of the default autovacuum_freeze_max_age is critical',
  },
  needs: 'pg_monitor',
  judge: (rows, thresholds) => {
    const [oldest] = rows;
    if (oldest === undefined) return { status: 'ok', value: 0, message: 'nothing holds vacuum back', fix: null };
    const open = oldest.open_seconds === null ? '' : `, open for ${describeSeconds(oldest.open_seconds)}`;
    if (oldest.value === null) {
      return {
        status: 'unknown',
        value: null,
        message: `the age of what ${HOLDERS[oldest.kind].name(oldest)} holds could not be read`,
        fix: null,
      };
    }
    return {
      status: gradeValue(oldest.value, thresholds),
      value: oldest.value,
      message: `vacuum cannot remove rows that died in the last ${describeCount(oldest.value)} transactions because of ${HOLDERS[oldest.kind].name(oldest)}${open}${oldest.state === null ? '' : `, ${oldest.state}`}`,
      fix: HOLDERS[oldest.kind].fix(oldest),
    };
  },
};

/** How each kind of holder is named, and the SQL that ends it. */
const HOLDERS: Readonly<
  Record<XminHolderRow['kind'], { name(holder: XminHolderRow): string; fix(holder: XminHolderRow): string }>
> = {
  session: {
    name: ({ name, role_name, application_name }) =>
      describeSession({ pid: Number(name), role_name, application_name }),
    fix: ({ name }) => terminateFix(Number(name)),
  },
  slot: {
    name: ({ name }) => `replication slot "${name}"`,
    fix: ({ name }) =>
      `select pg_drop_replication_slot(${quoteLiteral(name)}); -- lock: none; its subscriber or standby must be set up anew`,
  },
  prepared: {
    name: ({ name }) => `prepared transaction "${name}"`,
    fix: ({ name }) => `rollback prepared ${quoteLiteral(name)}; -- lock: none; releases the locks of the transaction`,
  },
  standby: {
    name: ({ name, application_name }) =>
      `standby "${application_name ?? ''}" (walsender pid ${name}, hot_standby_feedback)`,
    fix: () =>
      'select pid, application_name, backend_xmin from pg_stat_replication; -- lock: none; end the long query on that standby',
  },
};
