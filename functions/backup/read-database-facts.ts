// Reads what the manifest says about the database, all in the backup's own snapshot.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

export interface ServerFacts {
  version: string;
  major: number;
  aurora: boolean;
  serverId: string;
  encoding: string;
  snapshot: string;
  takenAt: Date;
  databaseBytes: number;
}

/** The server as the snapshot's session sees it. */
export async function readServerFacts(session: DatabaseSession): Promise<ServerFacts> {
  const { rows } = await session.query<{
    version: string;
    major: number;
    aurora: boolean;
    server_id: string;
    encoding: string;
    snapshot: string;
    taken_at: Date;
    database_bytes: string;
  }>(readSqlFile('backup/server.sql'));
  const row = rows[0];
  if (!row) throw new Error('sql/backup/server.sql gave no row');
  return {
    version: row.version,
    major: row.major,
    aurora: row.aurora,
    serverId: row.server_id,
    encoding: row.encoding,
    snapshot: row.snapshot,
    takenAt: row.taken_at,
    databaseBytes: Number(row.database_bytes),
  };
}

/** Throws `backup.unreadable_rows` when row level security would keep rows from the backup role. */
export async function refuseUnreadableTables(session: DatabaseSession): Promise<void> {
  const { rows } = await session.query<{ schema: string; name: string }>(readSqlFile('backup/unreadable-tables.sql'));
  if (rows.length === 0) return;
  const names = rows.map(({ schema, name }) => `"${schema}"."${name}"`);
  throw new JobFailure({
    code: 'backup.unreadable_rows',
    problem: `row level security hides rows of ${names.length} table${names.length === 1 ? '' : 's'} from the backup role: ${names.slice(0, 10).join(', ')}`,
    safeState: 'Nothing was dumped and no backup was recorded',
    hint: 'run bootstrap, or as superuser: ALTER ROLE nightshift_backup BYPASSRLS; where no one may do that, grant nightshift_backup the owner of each table that has no FORCE ROW LEVEL SECURITY',
  });
}

type CatalogFacts = Pick<BackupManifest, 'sequences' | 'extensions' | 'roles' | 'notSeen' | 'largeObjects'>;

/** Sequences with their values, extensions, roles, large objects, and what this role cannot see. */
export async function readCatalogFacts(session: DatabaseSession): Promise<CatalogFacts> {
  const sequences: BackupManifest['sequences'] = [];
  const listed = await session.query<{ schema: string; name: string }>(readSqlFile('backup/sequences.sql'));
  for (const { schema, name } of listed.rows) {
    const { rows } = await session.query<{ last_value: string; is_called: boolean }>(
      `select last_value::text, is_called from ${quoteQualified(schema, name)}`,
    );
    for (const row of rows) sequences.push({ schema, name, lastValue: row.last_value, isCalled: row.is_called });
  }
  const extensions = await session.query<{ name: string; version: string }>(readSqlFile('backup/extensions.sql'));
  const roles = await session.query<{ name: string }>(readSqlFile('backup/roles.sql'));
  const notSeen = await session.query<{ name: string }>(readSqlFile('backup/not-seen.sql'));
  const largeObjects = await session.query<{ count: number }>(readSqlFile('backup/large-objects.sql'));
  return {
    sequences,
    extensions: extensions.rows.map(({ name, version }) => ({ name, version })),
    roles: roles.rows.map(({ name }) => name),
    notSeen: notSeen.rows.map(({ name }) => name),
    largeObjects: { count: largeObjects.rows[0]?.count ?? 0, bytes: null, sha256: null },
  };
}
