// What is restored and what came of it, in words for a terminal. Pure.
import {
  describeAge,
  describeBytes,
  describeCount,
  describeDuration,
} from '../../functions/report/describe-amounts.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { BackupState } from '../../functions/shared/backup-state.ts';
import type { RestoreOutcome } from '../../functions/shared/restore/run-restore.ts';

const STATES: Readonly<Record<BackupState, string>> = {
  candidate: 'NOT verified: nobody has read it back yet',
  verified: 'verified: all of it was read back',
  drilled: 'drilled: it was restored and compared',
  broken: 'BROKEN: a verification or its newest drill found differences',
};

/** Which backup, how old, how large, how far proven. */
export function describeBackup(manifest: BackupManifest, state: BackupState, now: Date): string {
  const { backupId, takenAt, tables, engine } = manifest;
  const bytes = manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    `Backup ${backupId} of "${manifest.database}", taken at ${takenAt} (${describeAge(now.getTime() - Date.parse(takenAt))} ago), ${STATES[state]}`,
    `PostgreSQL ${engine.version}, ${tables.length} tables, ${describeCount(rows)} rows, ${describeBytes(bytes)} in S3`,
  ].join('\n');
}

/** What was restored, and what a person has to know or do now. */
export function describeOutcome(outcome: RestoreOutcome, manifest: BackupManifest, durationMs: number): string {
  const amounts = [
    `${outcome.tables} ${outcome.tables === 1 ? 'table' : 'tables'}`,
    `${describeCount(outcome.rows)} rows`,
    ...(outcome.largeObjects === 0 ? [] : [`${describeCount(outcome.largeObjects)} large objects`]),
  ];
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [title, ...items.map((item) => `  ${item}`)];
  return [
    `Restored ${amounts.join(', ')} in ${describeDuration(durationMs)}; every COPY had the rows and checksums of the manifest`,
    ...list('Left out, because it needs tables that were not chosen:', outcome.leftOut),
    ...list('Not in the backup, because a filter left it out:', manifest.excluded),
    ...list('Not in the backup, because the backup role cannot see it; make it by hand:', manifest.notSeen),
  ].join('\n');
}
