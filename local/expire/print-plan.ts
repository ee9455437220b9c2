// The plan of an expire run as a person reads it: one row per backup, then what else goes, then the verdict.
import type { ExpireResult, PlannedBackup } from '../../functions/expire/contract.ts';
import { newTable } from '../result-table.ts';

const WIDEST_REASONS = 60;
const HOUR_MS = 3_600_000;

/** The text for the terminal; colours only where asked for. */
export function describePlan(plan: ExpireResult, now: Date, coloured: boolean): string {
  const table = newTable(['backup', 'taken at (UTC)', 'age', 'size', 'state', 'plan', 'reasons'], coloured, {
    colAligns: ['left', 'left', 'right', 'right', 'left', 'left', 'left'],
    colWidths: [null, null, null, null, null, null, WIDEST_REASONS],
    wordWrap: true,
  });
  for (const backup of plan.backups) {
    table.push([
      backup.backupId,
      backup.takenAt.slice(0, 19).replace('T', ' '),
      describeAge(now.getTime() - Date.parse(backup.takenAt)),
      describeSize(backup.bytes),
      backup.state,
      coloured ? paint(verdictOn(backup)) : verdictOn(backup),
      backup.reasons.join('; '),
    ]);
  }
  return [
    plan.backups.length === 0 ? 'There is no backup.' : table.toString(),
    `Policy: ${plan.policy}.`,
    ...restOf(plan),
    plan.refused === null
      ? 'The job would carry this out. Nothing was deleted.'
      : `Refused, the job would delete nothing: ${plan.refused}.`,
  ].join('\n');
}

function restOf(plan: ExpireResult): string[] {
  const { leftovers, withoutManifest, supersededVersions, abortedUploads } = plan;
  return [
    ...(leftovers.length > 0 ? [`Remains without a manifest that go: ${leftovers.join(', ')}.`] : []),
    ...(withoutManifest > 0 ? [`Without a manifest and left alone: ${withoutManifest}.`] : []),
    ...(supersededVersions > 0 ? [`Overwritten versions that go: ${supersededVersions}.`] : []),
    ...(abortedUploads > 0 ? [`Orphan uploads that are aborted: ${abortedUploads}.`] : []),
  ];
}

function verdictOn({ decision, outcome }: PlannedBackup): 'keep' | 'delete' | 'locked' {
  return outcome === 'locked' ? 'locked' : decision;
}

function paint(verdict: 'keep' | 'delete' | 'locked'): string {
  const code = { keep: 32, delete: 31, locked: 33 }[verdict];
  return `\u001b[${code}m${verdict}\u001b[39m`;
}

function describeAge(ms: number): string {
  const hours = Math.floor(Math.abs(ms) / HOUR_MS);
  const text = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
  return ms < 0 ? `in ${text}` : text;
}

function describeSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let size = bytes;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
