// What is restored and what came of it, in words for a terminal. Pure.

import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { BackupState } from '../../functions/shared/backup-state.ts';
import {
  describeAge,
  describeBytes,
  describeCount,
  describeDuration,
} from '../../functions/shared/describe-amounts.ts';
import type { Selection } from '../../functions/shared/restore/choose-entries.ts';
import type { RestoreOutcome } from '../../functions/shared/restore/run-restore.ts';
import type { ChosenBackup } from './choose-backup.ts';

const STATES: Readonly<Record<BackupState, string>> = {
  candidate: 'NOT verified: nobody has read it back yet',
  verified: 'verified: all of it was read back',
  drilled: 'drilled: it was restored and compared',
  broken: 'BROKEN: a verification or its newest drill found differences',
};

/** `1 row`, `1,234 rows`. */
export function amount(count: number, what: string): string {
  return `${describeCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Which backup, how old, how large, how far proven; and which newer ones it is taken instead of. */
export function describeBackup({ manifest, state, passedOver }: ChosenBackup, now: Date): string {
  const { backupId, takenAt, tables, engine } = manifest;
  const bytes = manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return [
    `Backup ${backupId} of "${manifest.database}", taken at ${takenAt} (${describeAge(now.getTime() - Date.parse(takenAt))} ago), ${STATES[state]}`,
    `PostgreSQL ${engine.version}, ${amount(tables.length, 'table')}, ${amount(rows, 'row')}, ${describeBytes(bytes)} in S3`,
    ...passedOver.map((newer) => `Passed over: the newer backup ${newer.backupId}, ${STATES[newer.state]}`),
  ].join('\n');
}

/** A warning before the restore: it would fail in the middle. */
export function describeMissingRoles(
  roles: readonly string[],
  { noOwner, noPrivileges }: { noOwner: boolean; noPrivileges: boolean },
): string {
  const names = roles.map((role) => `"${role}"`).join(', ');
  return noOwner && noPrivileges
    ? `This server lacks roles of the backup: ${names}; only policies that name one will fail`
    : `This server lacks roles of the backup: ${names}; what names them will fail. Make them first (globals.sql, docs/restore.md), or say --no-owner --no-privileges`;
}

/** What was restored, and what a person has to know or do now. */
export function describeOutcome(
  outcome: RestoreOutcome,
  manifest: BackupManifest,
  { selection, durationMs }: { selection: Selection; durationMs: number },
): string {
  const amounts = [
    amount(outcome.tables, 'table'),
    amount(outcome.rows, 'row'),
    ...(outcome.largeObjects === 0 ? [] : [amount(outcome.largeObjects, 'large object')]),
  ];
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [title, ...items.map((item) => `  ${item}`)];
  const isWhole = selection.schemas.length === 0 && selection.tables.length === 0;
  const isContentOfTables = selection.part === 'data-only' && !isWhole && selection.schemas.length === 0;
  return [
    selection.part === 'schema-only'
      ? `Restored the definitions, and no rows, in ${describeDuration(durationMs)}`
      : `Restored ${amounts.join(', ')} in ${describeDuration(durationMs)}; every COPY had the rows and checksums of the manifest`,
    ...(isContentOfTables ? ['Sequences were left as they are'] : []),
    ...(isWhole && selection.part !== 'data-only'
      ? ['Not restored: settings and privileges of the database itself, passwords of roles (docs/restore.md says how)']
      : []),
    ...list('Left out, because it needs tables that were not chosen:', outcome.leftOut),
    ...list('Not in the backup, because a filter left it out:', manifest.excluded),
    ...list('Not in the backup, because the backup role cannot see it; make it by hand:', manifest.notSeen),
  ].join('\n');
}
