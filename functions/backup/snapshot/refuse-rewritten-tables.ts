// The one way in which a consistent snapshot still lies: a TRUNCATE or rewrite after it and before pg_dump's lock.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

/**
 * Throws `backup.table_rewritten` when a dumped table has another file now than in the snapshot.
 *
 * The session must be in the snapshot's transaction and hold a lock on each of them: only then the answer stays true.
 */
export async function refuseRewrittenTables(
  session: DatabaseSession,
  tables: readonly { oid: number; schema: string; name: string }[],
): Promise<void> {
  const { rows } = await session.query<{ schema: string; name: string }>(readSqlFile('backup/rewritten-tables.sql'), [
    tables.map(({ oid }) => oid),
    tables.map(({ schema, name }) => quoteQualified(schema, name)),
  ]);
  if (rows.length === 0) return;
  const names = rows.map(({ schema, name }) => quoteQualified(schema, name));
  throw new JobFailure({
    code: 'backup.table_rewritten',
    problem: `${names.length} table${names.length === 1 ? ' was' : 's were'} truncated, rewritten or renamed between the snapshot and its lock, and would read as empty: ${names.slice(0, 10).join(', ')}`,
    safeState: 'No object and no backup was recorded',
    hint: 'start the backup at a time when nothing truncates or rewrites these tables',
  });
}
