// Batches that archive and remove rows as purge makes them; also for a child process, so it knows nothing of vitest.
import { type ArchivedRows, archiveRows } from '../../functions/purge/archive/archive-rows.ts';
import type { ArchiveSeries } from '../../functions/purge/archive/archive-series.ts';
import { nextObjectNumber } from '../../functions/purge/archive/next-object-number.ts';
import { readArchiveColumns, returningList } from '../../functions/purge/archive/read-archive-columns.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import { readSqlFile } from '../../functions/shared/sql-files.ts';

export interface BatchOptions {
  /** Condition on the alias `t`. */
  where: string;
  table?: string;
  series: ArchiveSeries;
  store: ObjectStore;
  number?: number;
  signal?: AbortSignal;
  /** Called before the commit. */
  afterwards?: (session: DatabaseSession) => Promise<void>;
}

/** One batch of purge: everything in one transaction, which is rolled back when anything fails. */
export async function archiveBatch(
  session: DatabaseSession,
  { where, table: name = 'event', series, ...more }: BatchOptions,
): Promise<ArchivedRows | undefined> {
  const table = { schema: 'app', name };
  await session.query(readSqlFile('purge/session.sql'));
  await session.query('begin');
  try {
    const columns = await readArchiveColumns(session, table);
    const archived = await archiveRows(session, {
      series,
      table,
      columns,
      number: more.number ?? (await nextObjectNumber(session, series.seriesId, table)),
      statement: `delete from ${quoteQualified('app', name)} as t where ${where} returning ${returningList(columns, 't')}`,
      store: more.store,
      clock: systemClock,
      signal: more.signal ?? new AbortController().signal,
    });
    await more.afterwards?.(session);
    await session.query('commit');
    return archived;
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** Batches of app.event until no row is left. */
export async function archiveAll(
  session: DatabaseSession,
  { batchRows, ...more }: Pick<BatchOptions, 'store' | 'series'> & { batchRows: number },
): Promise<void> {
  const where = `t.id in (select id from app.event order by id limit ${batchRows})`;
  for (;;) if ((await archiveBatch(session, { ...more, where })) === undefined) return;
}
