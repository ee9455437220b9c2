// What a purge has done, as a person reads it. Pure.
import type { PolicyResult, PurgeResult } from '../../functions/purge/contract.ts';
import { describeBytes, describeCount, describeDuration } from '../../functions/shared/describe-amounts.ts';
import { newTable } from '../result-table.ts';
import { describePii } from './print-plan.ts';

/** A table of the policies, and below it what each has left behind as evidence. */
export function printRun({ policies, piiWithoutPolicy, complete }: PurgeResult, coloured: boolean): string {
  if (policies.length === 0)
    return ['There is no enabled policy, so nothing was purged.', ...describePii(piiWithoutPolicy)].join('\n');
  const table = newTable(
    ['policy', 'state', 'done', 'with them', 'left', 'held', 'referenced', 'longest batch'],
    coloured,
  );
  for (const { policy, state, rowsDone, children, rowsLeft, skipped, slowestBatchMs } of policies) {
    const others = children.reduce((sum, { deleted, changed }) => sum + deleted + changed, 0);
    table.push([
      policy,
      state,
      describeCount(rowsDone),
      describeCount(others),
      rowsLeft === null ? 'not counted' : describeCount(rowsLeft),
      describeCount(skipped.held),
      describeCount(skipped.referenced),
      slowestBatchMs === 0 ? '–' : describeDuration(slowestBatchMs),
    ]);
  }
  return [
    table.toString(),
    ...policies.flatMap(describeEvidence),
    ...describePii(piiWithoutPolicy),
    ...(complete ? [] : ['Not complete: the same command goes on behind the last batch.']),
  ].join('\n');
}

function describeEvidence({
  policy,
  children,
  archive,
  partitions,
  warnings,
  pause,
  vacuum,
  certificateKey,
}: PolicyResult): string[] {
  const lines = [
    ...children.map(
      ({ table, deleted, changed }) => `${table}: ${describeCount(deleted)} deleted, ${describeCount(changed)} changed`,
    ),
    ...partitions.map(({ table, state, reason }) => `${table}: ${state}${reason === null ? '' : `, ${reason}`}`),
    ...(archive === null
      ? []
      : [
          `archive: ${describeCount(archive.rows)} rows in ${describeCount(archive.objects)} objects, ${describeBytes(archive.bytes)}: ${archive.manifestKey}`,
        ]),
    ...(vacuum === null || vacuum === 'done' || vacuum === 'not needed' ? [] : [`vacuum: ${vacuum}`]),
    ...(pause === null ? [] : [`stands still: ${pause.reason}`]),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(certificateKey === null ? [] : [`certificate: ${certificateKey}`]),
  ];
  return lines.length === 0 ? [] : [policy, ...lines.map((line) => `  ${line}`)];
}
