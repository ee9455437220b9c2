// What a purge would do, as a person reads it before saying yes. Pure. Every state is a word: nothing is told by colour alone.
import type { PolicyResult, PurgeResult } from '../../functions/purge/contract.ts';
import {
  describeBytes,
  describeCount,
  describeDuration,
  describeInstant,
} from '../../functions/shared/describe-amounts.ts';
import { newTable } from '../result-table.ts';

const WAYS: Record<PolicyResult['action'], string> = {
  delete: 'deleted',
  anonymise: 'anonymised',
  drop_partition: 'dropped by partition',
  erase: 'erased',
};

/** Rows of the policy's own table that a run would take now. */
export function rowsToGo({ plan, skipped }: Pick<PolicyResult, 'plan' | 'skipped'>): number {
  return Math.max(0, (plan?.rows ?? 0) - skipped.held - skipped.referenced);
}

/** A table of the policies, what goes with each and what was noticed, and the hash to run exactly this. */
export function printPlan(result: PurgeResult, coloured: boolean): string {
  const { policies, piiWithoutPolicy, planHash } = result;
  if (policies.length === 0)
    return ['There is no enabled policy, so nothing would be purged.', ...describePii(piiWithoutPolicy)].join('\n');
  const table = newTable(
    ['policy', 'older than (UTC)', 'rows', 'held', 'referenced', 'would go', 'takes', 'WAL'],
    coloured,
  );
  for (const one of policies) {
    const { policy, cutoff, plan, skipped } = one;
    const time = plan?.estimatedSeconds ?? null;
    table.push([
      policy,
      cutoff === null ? '–' : describeInstant(cutoff),
      describeCount(plan?.rows ?? 0),
      describeCount(skipped.held),
      describeCount(skipped.referenced),
      describeCount(rowsToGo(one)),
      time === null ? 'not known yet' : describeDuration(time * 1_000),
      describeBytes(plan?.estimatedWalBytes ?? 0),
    ]);
  }
  return [
    table.toString(),
    ...policies.flatMap(describePolicy),
    ...describePii(piiWithoutPolicy),
    `Nothing was changed. Plan ${planHash ?? '–'}: --run --plan-hash refuses when policies or tables have moved since.`,
  ].join('\n');
}

function describePolicy(one: PolicyResult): string[] {
  const { policy, table, action, plan, partitions, warnings } = one;
  const lines = [`${table}: rows are ${WAYS[action]}, about ${describeBytes(plan?.bytes ?? 0)}`];
  for (const { table: child, constraint, action: what, rows } of plan?.children ?? []) {
    const by = constraint === '' ? '' : ` by ${constraint}`;
    if (what === 'keeps its parent') lines.push(`${child}${by}: a row there keeps the row that it references`);
    else lines.push(`${child}${by}: ${rows === null ? 'rows' : describeCount(rows)} ${describeChild(what)}`);
  }
  for (const { table: partition, bounds, bytes, state, reason } of partitions)
    lines.push(
      `${partition} ${bounds}, ${describeBytes(bytes)}: ${state === 'kept' ? 'stays' : 'would be dropped'}${reason === null ? '' : `, ${reason}`}`,
    );
  if ((plan?.undated ?? 0) > 0)
    lines.push(`${describeCount(plan?.undated ?? 0)} rows without a finite time are never past retention`);
  return [policy, ...[...lines, ...warnings.map((warning) => `warning: ${warning}`)].map((line) => `  ${line}`)];
}

function describeChild(
  action: Exclude<NonNullable<PolicyResult['plan']>['children'][number]['action'], 'keeps its parent'>,
): string {
  return action === 'deleted' || action === 'anonymised' ? `${action} with them` : `lose their reference (${action})`;
}

/** Classified personal data that no policy covers; nothing where all is. */
export function describePii(piiWithoutPolicy: PurgeResult['piiWithoutPolicy']): string[] {
  return piiWithoutPolicy.map(
    ({ table, columns }) => `${table}: classified personal data without a policy (${columns.join(', ')})`,
  );
}
