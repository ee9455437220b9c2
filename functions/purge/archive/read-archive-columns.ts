// Which columns of a table an archive holds. Read before the first batch; what could not be archived whole is refused there.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { TableName } from './archive-series.ts';

export interface ArchiveColumns {
  /** What the text holds, in the order of the table; identity columns are among them, COPY FROM takes them as they are. */
  readonly stored: readonly string[];
  /** What COPY FROM takes from nobody: the server makes them again. */
  readonly generated: readonly string[];
}

/** Throws `purge.refused` when rows of the table have values that no RETURNING of it would show. */
export async function readArchiveColumns(session: DatabaseSession, table: TableName): Promise<ArchiveColumns> {
  const { rows } = await session.query<{ stored: string[]; generated: string[]; only_below: string[] }>(
    readSqlFile('purge/archive-columns.sql'),
    [table.schema, table.name],
  );
  const { stored = [], generated = [], only_below: onlyBelow = [] } = rows[0] ?? {};
  const name = `${table.schema}.${table.name}`;
  if (onlyBelow.length > 0) {
    throw new JobFailure({
      code: 'purge.refused',
      problem: `tables that inherit from ${name} have columns which its archive would not hold: ${onlyBelow.join(', ')}`,
      safeState: 'No row was deleted',
      hint: 'make a policy for each of these tables, or one that does not archive',
    });
  }
  if (stored.length === 0) {
    throw new JobFailure({
      code: 'purge.refused',
      problem: `table ${name} has no column that could be archived: it does not exist, or all of them are generated`,
      safeState: 'No row was deleted',
      hint: 'look at the table, or make the policy one that does not archive',
    });
  }
  return { stored, generated };
}

/** The list behind RETURNING: it alone decides what the archive holds. `alias` is that of the table in the statement. */
export function returningList({ stored }: ArchiveColumns, alias: string): string {
  return stored.map((name) => `${quoteIdentifier(alias)}.${quoteIdentifier(name)}`).join(', ');
}
