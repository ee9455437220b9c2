// Compares the extensions of the restored database with the manifest.
import type { BackupManifest } from '../../shared/backup-manifest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { Inventory } from '../../shared/inventory.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Comparison, comparison } from './comparison.ts';

/** One that is missing is a difference, unless a filter left it out; another version is a finding: the server chooses it. */
export async function compareExtensions(
  session: DatabaseSession,
  { extensions }: BackupManifest,
  inventory: Inventory | undefined,
): Promise<Comparison> {
  const { rows } = await session.query<{ name: string; version: string }>(readSqlFile('backup/extensions.sql'));
  const present = new Map(rows.map(({ name, version }) => [name, version]));
  const listed = inventory?.isFiltered
    ? new Set(inventory.entries?.filter(([kind]) => kind === 'extension').map(([, identity]) => identity))
    : undefined;
  const expected = extensions.filter(({ name }) => listed === undefined || listed.has(quoteIdentifier(name)));
  return comparison({
    differences: expected
      .filter(({ name }) => !present.has(name))
      .map(({ name, version }) => ({ what: `extension "${name}"`, expected: version, actual: 'not installed' })),
    findings: expected
      .filter(({ name, version }) => (present.get(name) ?? version) !== version)
      .map(({ name, version }) => ({
        what: `extension "${name}"`,
        problem: `version ${present.get(name)} was installed; the source had ${version}`,
      })),
  });
}
