// What a health check is: one SQL file per range of server versions and one definition with its thresholds.
// Each file in checks/ exports one definition; all-checks.ts lists them.
import type { MetricName } from '../shared/metrics.ts';
import { quoteIdentifier } from '../shared/quote-identifier.ts';
import type { Status, Tier, Unit } from './contract.ts';

/** Who is asked, and what it may see. */
export interface ServerFacts {
  readonly version: string;
  readonly versionNumber: number;
  readonly inRecovery: boolean;
  readonly upSeconds: number;
  readonly roleName: string;
  readonly readsAllStats: boolean;
}

/** Every row of a check has its value in the check's unit; null means that it could not be read. */
export interface CheckRow {
  value: number | null;
}

export interface Thresholds {
  /** From this value on; null = this status is not given by value. */
  readonly warning: number | null;
  readonly critical: number | null;
  /** Where the numbers come from. */
  readonly source: string;
}

export interface Finding {
  status: Status;
  value: number | null;
  /** Cause and object, without a final full stop. */
  message: string;
  /** One SQL statement, then ` -- lock: …`; null when SQL cannot help. */
  fix: string | null;
}

export interface CheckDefinition<Row extends CheckRow = CheckRow> {
  readonly id: string;
  readonly tier: Tier;
  readonly unit: Unit;
  /** The file for servers of this major version and later; the newest that fits is taken. None for a check without SQL. */
  readonly sql: readonly { readonly sinceMajor: number; readonly file: string }[];
  readonly thresholds: Thresholds;
  /**
   * `pg_monitor` when the check is blind without it: it is then unknown with the GRANT. `bootstrap` when it reads schema
   * nightshift: where that is missing, of an older version or not readable, it is unknown and says to run bootstrap.
   */
  readonly needs: 'nothing' | 'pg_monitor' | 'bootstrap';
  /** Gets the value; no datapoint when the check is unknown. */
  readonly metric?: MetricName;
  /** Rows are in the order of the SQL file, the worst first. Pure. */
  judge(rows: readonly Row[], thresholds: Thresholds, server: ServerFacts): Finding;
}

/** The status of a value by its thresholds; null is unknown, never ok. */
export function gradeValue(value: number | null, thresholds: Pick<Thresholds, 'warning' | 'critical'>): Status {
  if (value === null || Number.isNaN(value)) return 'unknown';
  if (thresholds.critical !== null && value >= thresholds.critical) return 'critical';
  if (thresholds.warning !== null && value >= thresholds.warning) return 'warning';
  return 'ok';
}

/** The GRANT without which the check sees nothing of other roles. */
export function grantMonitor(roleName: string): string {
  return `grant pg_monitor to ${quoteIdentifier(roleName)}; -- lock: none`;
}
