// The number of an object within its table and series.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { TableName } from './archive-series.ts';

/** One more than the last that was committed; for the holder of the lock of purge only, in the transaction of the batch. */
export async function nextObjectNumber(session: DatabaseSession, seriesId: string, table: TableName): Promise<number> {
  const { rows } = await session.query<{ number: number }>(readSqlFile('purge/next-object-number.sql'), [
    seriesId,
    table.schema,
    table.name,
  ]);
  return rows[0]?.number ?? 1;
}
