// Counts the rows of every table that is in the archive, in the archive's own snapshot.
import type { DumpedTable } from '../shared/archive-toc/dumped-tables.ts';
import type { DatabaseSession } from '../shared/database.ts';
import { quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

export interface TableCount {
  schema: string;
  name: string;
  dumpId: number;
  rows: number;
}

/** One count per table, in the order of the archive; stops between two tables when the signal is aborted. */
export async function countRows(
  session: DatabaseSession,
  tables: readonly DumpedTable[],
  signal: AbortSignal,
): Promise<TableCount[]> {
  const listed = await session.query<{ oid: string; condition: string }>(
    readSqlFile('backup/extension-conditions.sql'),
  );
  // The condition is the extension's own text from the catalog (pg_extension.extcondition); pg_dump uses it as it is.
  const conditions = new Map(listed.rows.map(({ oid, condition }) => [Number(oid), condition]));
  const counts: TableCount[] = [];
  for (const { schema, name, oid, dumpId } of tables) {
    signal.throwIfAborted();
    const { rows } = await session.query<{ rows: string }>(
      `select count(*) as rows from only ${quoteQualified(schema, name)} ${conditions.get(oid) ?? ''}`,
    );
    counts.push({ schema, name, dumpId, rows: Number(rows[0]?.rows) });
  }
  return counts;
}
