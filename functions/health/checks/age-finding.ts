// What the two wraparound checks share: ages measured against the setting that starts the forced vacuum.
import type { CheckRow, Finding, Thresholds } from '../check-definition.ts';
import { describeCount } from '../describe-finding.ts';

export interface AgeRow extends CheckRow {
  database_name: string;
  is_current: boolean;
  freeze_max_age: number;
}

/** Half of the 2^31 ids that may be in use: critical whatever the setting says (the RDS documentation alarms here). */
export const ALWAYS_CRITICAL_AGE = 1e9;

/** Warning and critical are percentages of the setting here; ids left are counted to the 2^31 at which writes stop. */
export function judgeAge(
  rows: readonly AgeRow[],
  thresholds: Thresholds,
  words: { ids: string; setting: string },
): Finding {
  const [oldest] = rows;
  if (oldest === undefined || oldest.value === null || !(oldest.freeze_max_age > 0)) {
    return { status: 'unknown', value: null, message: `the age of the ${words.ids} could not be read`, fix: null };
  }
  const share = (100 * oldest.value) / oldest.freeze_max_age;
  const isCritical = oldest.value >= ALWAYS_CRITICAL_AGE || share >= (thresholds.critical ?? Infinity);
  const isWarning = share >= (thresholds.warning ?? Infinity);
  const left = describeCount(Math.max(0, 2 ** 31 - oldest.value));
  return {
    status: isCritical ? 'critical' : isWarning ? 'warning' : 'ok',
    value: oldest.value,
    message: `the oldest of the ${words.ids} in database "${oldest.database_name}" is ${describeCount(oldest.value)} old, ${Math.round(share)} % of ${words.setting}; ${left} are left until the server refuses writes`,
    fix: `vacuum (freeze, verbose); -- lock: SHARE UPDATE EXCLUSIVE on one table after the other; reads and writes go on. Run it in database "${oldest.database_name}", after what holds it back (check oldest-xmin) is gone`,
  };
}
