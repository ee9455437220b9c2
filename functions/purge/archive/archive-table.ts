// Archives a whole table before it is dropped, in objects of some blocks each. Runs inside the transaction of the drop, which
// has locked the table against writers.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { render } from '../batch/render.ts';
import type { PurgeContext } from '../purge-context.ts';
import { archiveRows } from './archive-rows.ts';
import type { ArchiveSeries, TableName } from './archive-series.ts';
import { nextObjectNumber } from './next-object-number.ts';
import { readArchiveColumns, returningList } from './read-archive-columns.ts';

/** 32 MiB of rows: what lies beside them in TOAST may be many times as much, and an object is held in memory. */
const BLOCKS_PER_OBJECT = 4_096;

/** Throws when an object cannot be stored or reads back as something else; the caller must roll back then. */
export async function archiveTable(
  { store, clock, signal }: Pick<PurgeContext, 'store' | 'clock' | 'signal'>,
  session: DatabaseSession,
  series: ArchiveSeries,
  table: TableName,
): Promise<void> {
  const columns = await readArchiveColumns(session, table);
  const { rows } = await session.query<{ blocks: number }>(readSqlFile('purge/table-blocks.sql'), [
    table.schema,
    table.name,
  ]);
  const blocks = rows[0]?.blocks ?? 0;
  for (let from = 0; from < blocks; from += BLOCKS_PER_OBJECT) {
    const statement = render('archive-blocks.sql', {
      columns: returningList(columns, 't'),
      table: quoteQualified(table.schema, table.name),
      from: String(from),
      to: String(from + BLOCKS_PER_OBJECT),
    });
    await archiveRows(session, {
      series,
      table,
      number: await nextObjectNumber(session, series.seriesId, table),
      columns,
      statement: statement.trim(),
      store,
      clock,
      signal,
    });
  }
}
