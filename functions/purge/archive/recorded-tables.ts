// What nightshift.purge_object says of the archive of a series: the one truth about what belongs to it.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { ArchivedTable } from './archive-manifest.ts';

interface ObjectRow {
  schema: string;
  name: string;
  columns: string[];
  generated: string[];
  key: string;
  rows: string;
  bytes: string;
  sha256: string;
}

/** The tables of the archive with their objects, in the order of names and numbers; empty when nothing was archived. */
export async function readRecordedTables(session: DatabaseSession, seriesId: string): Promise<ArchivedTable[]> {
  const { rows } = await session.query<ObjectRow & Record<string, unknown>>(readSqlFile('purge/recorded-objects.sql'), [
    seriesId,
  ]);
  const tables: ArchivedTable[] = [];
  for (const row of rows) {
    const { schema, name, columns, generated } = row;
    const shape = { schema, name, columns, generated };
    const object = { key: row.key, rows: Number(row.rows), bytes: Number(row.bytes), sha256: row.sha256 };
    const open = tables.at(-1);
    if (open !== undefined && isOfShape(open, shape)) open.objects.push(object);
    else tables.push({ ...shape, objects: [object] });
  }
  return tables;
}

function isOfShape(
  { schema, name, columns, generated }: ArchivedTable,
  shape: Omit<ArchivedTable, 'objects'>,
): boolean {
  return JSON.stringify({ schema, name, columns, generated }) === JSON.stringify(shape);
}
