// Archive before delete: the rows that one statement removes become one object in S3, which is recorded and read back, all in the
// transaction of the batch. Whatever fails is thrown, and the caller must roll back; then nothing has happened.
import { createHash } from 'node:crypto';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { archiveFailure } from './archive-failure.ts';
import { type ArchiveSeries, keysOfSeries, type TableName } from './archive-series.ts';
import { collectRows } from './collect-rows.ts';
import type { ArchiveColumns } from './read-archive-columns.ts';
import { readBack } from './read-back.ts';
import { storeObject } from './store-object.ts';

export interface ArchiveRequest {
  readonly series: ArchiveSeries;
  readonly table: TableName;
  /** From nextObjectNumber, in the same transaction. */
  readonly number: number;
  readonly columns: ArchiveColumns;
  /** What COPY runs: `delete … returning <returningList(columns)>`, without parameters, which COPY does not take. */
  readonly statement: string;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ArchivedRows {
  readonly objectKey: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Runs the statement and archives exactly the rows that it removes; undefined when there was none, and then nothing is stored.
 *
 * The session must have the settings of sql/purge/session.sql and an open transaction. While S3 is at work the transaction is
 * idle and its rows are locked: idle_in_transaction_session_timeout limits both.
 */
export async function archiveRows(
  session: DatabaseSession,
  { series, table, number, columns, statement, store, clock, signal }: ArchiveRequest,
): Promise<ArchivedRows | undefined> {
  const keys = keysOfSeries(series);
  const { rows, stored } = await collectRows(session, statement, { signal });
  if (rows === 0) return undefined;
  const key = keys.archivedRows(table.schema, table.name, number);
  const object = { key, rows, bytes: stored.length, sha256: createHash('sha256').update(stored).digest('hex') };
  // Before the put: a number that is taken fails here, and not after its object was overwritten.
  await session.query(readSqlFile('purge/record-object.sql'), [
    series.seriesId,
    table.schema,
    table.name,
    number,
    columns.stored,
    columns.generated,
    key,
    rows,
    object.bytes,
    object.sha256,
  ]);
  await storeObject(store, { key, body: stored, manifestKey: keys.archiveManifest, signal });
  const source = { store, clock, signal, onBytes: () => {} };
  const difference = await readBack(source, object, columns.stored.length);
  if (difference !== undefined) {
    throw archiveFailure(
      `"${key}", read back from S3, is not what was stored: ${difference}`,
      'run purge again; when it ends in the same way, look at who else writes into the bucket, and at the state of S3',
    );
  }
  return { objectKey: key, rows, bytes: object.bytes, sha256: object.sha256 };
}
