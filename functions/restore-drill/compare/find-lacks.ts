// Looks, before anything is restored, for what a backup needs and the server does not have.
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { DrillFinding } from '../../shared/drill-record.ts';
import type { Inventory } from '../../shared/inventory.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

const PROBLEMS: Readonly<Record<string, string>> = {
  extension: 'the server does not have it (pg_available_extensions), so its objects cannot be restored',
  role: 'the server does not have it; owners, grants and policies name it',
  collation: 'the server does not have it, so columns that use it cannot be restored',
  locale: 'the C library of the server does not have it, so the source sorts in another way',
};

/** By name; none of them says anything about the backup. Without an inventory only extensions and roles are known. */
export async function findLacks(
  session: DatabaseSession,
  manifest: Pick<BackupManifest, 'extensions' | 'roles'>,
  inventory: Inventory | undefined,
): Promise<DrillFinding[]> {
  const { collate, ctype } = inventory?.database ?? {};
  const { rows } = await session.query<{ kind: string; name: string }>(readSqlFile('restore-drill/lacks.sql'), [
    manifest.extensions.map(({ name }) => name),
    manifest.roles,
    inventory?.collations ?? [],
    [...new Set([collate, ctype].filter((one) => one !== undefined))],
  ]);
  return rows.map(({ kind, name }) => ({ what: `${kind} "${name}"`, problem: PROBLEMS[kind] ?? '' }));
}
