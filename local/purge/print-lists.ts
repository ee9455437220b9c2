// The lists of `npm run purge`: policies, holds, stop flags. Pure.
import type { PurgeResult } from '../../functions/purge/contract.ts';
import { describeCount, describeInstant } from '../../functions/shared/describe-amounts.ts';
import { newTable } from '../result-table.ts';
import { describePii } from './print-plan.ts';

export interface Policy {
  readonly name: string;
  readonly table: string;
  readonly action: string;
  readonly timestampColumn: string;
  readonly retention: string;
  readonly predicate: string | null;
  readonly archives: boolean;
  readonly enabled: boolean;
  readonly version: number;
  readonly reason: string;
  /** Of its newest run; null when there was none. */
  readonly lastState: string | null;
  readonly lastAt: string | null;
  /** By its whole series. */
  readonly lastDone: string | null;
  readonly lastLeft: string | null;
  readonly certificateKey: string | null;
}

export interface Hold {
  readonly holdId: string;
  readonly table: string;
  /** Null: the whole table. */
  readonly key: string | null;
  readonly ofPerson: boolean;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly until: string | null;
}

export interface Stop {
  readonly stopId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
}

export function printList(
  {
    policies,
    holds,
    stops,
    piiWithoutPolicy,
  }: {
    policies: readonly Policy[];
    holds: readonly Hold[];
    stops: readonly Stop[];
    piiWithoutPolicy: PurgeResult['piiWithoutPolicy'];
  },
  coloured: boolean,
): string {
  const table = newTable(['policy', 'table', 'what is done', 'kept for', 'last run', 'done', 'left'], coloured);
  for (const policy of policies)
    table.push([
      policy.name,
      policy.table,
      describeAction(policy),
      `${policy.retention} after ${policy.timestampColumn}`,
      policy.lastState === null ? 'never' : `${policy.lastState} ${describeInstant(policy.lastAt ?? '')}`,
      amountOf(policy.lastDone),
      amountOf(policy.lastLeft),
    ]);
  return [
    policies.length === 0 ? 'There is no policy, so nothing is ever purged.' : table.toString(),
    ...stops.map(
      ({ reason, placedBy, placedAt }) =>
        `STOPPED by ${placedBy} at ${describeInstant(placedAt)}: ${reason}. --go-on lifts it.`,
    ),
    holds.length === 0
      ? 'No legal hold is in force.'
      : `${describeCount(holds.length)} in force; --holds lists the legal holds.`,
    ...describePii(piiWithoutPolicy),
  ].join('\n');
}

export function printHolds(holds: readonly Hold[], coloured: boolean): string {
  if (holds.length === 0) return 'No legal hold is in force.';
  const table = newTable(['hold', 'table', 'key', 'why', 'placed by', 'placed at (UTC)', 'until (UTC)'], coloured);
  for (const { holdId, table: name, key, ofPerson, reason, placedBy, placedAt, until } of holds)
    table.push([
      holdId,
      name,
      `${key ?? 'all rows'}${ofPerson ? ' and all that leads to it' : ''}`,
      reason,
      placedBy,
      describeInstant(placedAt),
      until === null ? 'until released' : describeInstant(until),
    ]);
  return table.toString();
}

function describeAction({ action, archives, enabled }: Policy): string {
  const what = action === 'drop_partition' ? 'drop partitions' : archives ? 'archive, then delete' : action;
  return enabled ? what : `${what} (not enabled)`;
}

function amountOf(count: string | null): string {
  return count === null ? '–' : describeCount(Number(count));
}
