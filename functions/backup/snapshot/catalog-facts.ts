// What the manifest says about the database besides its tables, read from the catalog in the backup's own snapshot.
import type { DumpedContents } from '../../shared/archive-toc/dumped-contents.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';

type CatalogFacts = Pick<BackupPlan, 'extensions' | 'roles' | 'notSeen' | 'excluded'>;

/** Extensions and roles that a restore needs, what this role cannot see, and what the archive leaves out. */
export async function readCatalogFacts(session: DatabaseSession, contents: DumpedContents): Promise<CatalogFacts> {
  const extensions = await session.query<{ name: string; version: string }>(readSqlFile('backup/extensions.sql'));
  const roles = await session.query<{ name: string }>(readSqlFile('backup/roles.sql'));
  const notSeen = await session.query<{ name: string }>(readSqlFile('backup/not-seen.sql'));
  return {
    extensions: extensions.rows.map(({ name, version }) => ({ name, version })),
    roles: roles.rows.map(({ name }) => name),
    notSeen: notSeen.rows.map(({ name }) => name),
    excluded: await listExcluded(session, contents),
  };
}

/**
 * Every relation of the users that is not in the archive, and every table whose rows are not.
 *
 * It is asked whether or not a filter is set: what pg_dump leaves out for any other reason must be in the manifest too.
 */
async function listExcluded(session: DatabaseSession, contents: DumpedContents): Promise<string[]> {
  const { rows } = await session.query<{ kind: string; schema: string; name: string; oid: string; has_rows: boolean }>(
    readSqlFile('backup/user-relations.sql'),
  );
  const withRows = new Set(contents.tables.map(({ oid }) => oid));
  const excluded = rows.flatMap(({ kind, schema, name, oid, has_rows }) => {
    const qualified = quoteQualified(schema, name);
    if (!contents.relations.has(qualified)) return [`${kind} ${qualified}`];
    return has_rows && !withRows.has(Number(oid)) ? [`rows of table ${qualified}`] : [];
  });
  const largeObjects = await session.query<{ oid: string }>('select oid::text from pg_catalog.pg_largeobject_metadata');
  const dumped = new Set(contents.largeObjects.flatMap(({ oids }) => oids));
  const missed = largeObjects.rows.filter(({ oid }) => !dumped.has(Number(oid))).length;
  return missed === 0 ? excluded : [...excluded, `${missed} large objects`];
}

/**
 * The tables that are readable only with row_security on, because a policy shows the role every row.
 *
 * Throws `backup.unreadable_rows` when row level security would keep rows of any of the tables from the backup role.
 */
export async function readByPolicy(session: DatabaseSession, oids: readonly number[]): Promise<Set<number>> {
  const { rows } = await session.query<{ oid: string; schema: string; name: string; sees_all: boolean }>(
    readSqlFile('backup/unreadable-tables.sql'),
    [oids],
  );
  const hidden = rows.filter(({ sees_all }) => !sees_all);
  if (hidden.length === 0) return new Set(rows.map(({ oid }) => Number(oid)));
  const names = hidden.slice(0, 10).map(({ schema, name }) => quoteQualified(schema, name));
  throw new JobFailure({
    code: 'backup.unreadable_rows',
    problem: `row level security hides rows of ${hidden.length} table${hidden.length === 1 ? '' : 's'} from the backup role: ${names.join(', ')}`,
    safeState: 'Nothing was dumped and no backup was recorded',
    hint: `run bootstrap, or as superuser: ALTER ROLE nightshift_backup BYPASSRLS; where no one may do that, on each of these tables without a restrictive policy: CREATE POLICY nightshift_backup ON ${names[0]} FOR SELECT TO nightshift_backup USING (true)`,
  });
}
