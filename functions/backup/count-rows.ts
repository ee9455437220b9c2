// Counts the rows of every table that is in the archive, in the archive's own snapshot.
import type { DatabaseSession } from '../shared/database.ts';
import { quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

export interface TableCount {
  schema: string;
  name: string;
  rows: number;
}

/** One count per table, in order of schema and name; stops between two tables when the signal is aborted. */
export async function countRows(session: DatabaseSession, signal: AbortSignal): Promise<TableCount[]> {
  const listed = await session.query<{ schema: string; name: string; condition: string | null }>(
    readSqlFile('backup/tables.sql'),
  );
  const counts: TableCount[] = [];
  for (const { schema, name, condition } of listed.rows) {
    signal.throwIfAborted();
    // The condition is the extension's own text from the catalog (pg_extension.extcondition); pg_dump uses it as it is.
    const filter = condition ?? '';
    const { rows } = await session.query<{ rows: string }>(
      `select count(*) as rows from only ${quoteQualified(schema, name)} ${filter}`,
    );
    counts.push({ schema, name, rows: Number(rows[0]?.rows) });
  }
  return counts;
}
