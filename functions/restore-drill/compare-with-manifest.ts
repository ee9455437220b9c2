// Compares a restored database with the manifest of its backup: row counts, sequences, large objects, extensions.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import { quoteQualified } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import { compareLargeObjects } from './compare-large-objects.ts';

export interface Difference {
  /** Kind and name of the object. */
  what: string;
  expected: string;
  actual: string;
}

/** All differences; empty when the restored database is equal to the manifest. */
export async function compareWithManifest(
  restored: Database,
  manifest: BackupManifest,
  signal: AbortSignal,
): Promise<Difference[]> {
  return await restored.withSession(async (session) => {
    await openForcedTables(session);
    return [
      ...(await compareTables(session, manifest, signal)),
      ...(await compareSequences(session, manifest, signal)),
      ...(await compareLargeObjects(session, manifest, signal)),
      ...(await compareExtensions(session, manifest)),
    ];
  });
}

/** The scratch copy is ours: without FORCE its owner may count all rows, which the session otherwise refuses to cut. */
async function openForcedTables(session: DatabaseSession): Promise<void> {
  const { rows } = await session.query<{ schema: string; name: string }>(readSqlFile('drill/forced-tables.sql'));
  for (const { schema, name } of rows) {
    await session.query(`alter table ${quoteQualified(schema, name)} no force row level security`);
  }
}

async function compareTables(
  session: DatabaseSession,
  manifest: BackupManifest,
  signal: AbortSignal,
): Promise<Difference[]> {
  const listed = await session.query<{ schema: string; name: string; condition: string | null }>(
    readSqlFile('drill/tables.sql'),
  );
  const present = new Map(listed.rows.map((row) => [quoteQualified(row.schema, row.name), row.condition]));
  const differences: Difference[] = [];
  for (const table of manifest.tables) {
    signal.throwIfAborted();
    const qualified = quoteQualified(table.schema, table.name);
    const condition = present.get(qualified);
    if (condition === undefined) {
      differences.push({ what: `table ${qualified}`, expected: `${table.rows} rows`, actual: 'no such table' });
      continue;
    }
    present.delete(qualified);
    const actual = await countRows(session, qualified, condition);
    if (actual !== table.rows) {
      differences.push({ what: `table ${qualified}`, expected: `${table.rows} rows`, actual: `${actual} rows` });
    }
  }
  for (const [qualified, condition] of present) {
    // A filter has left out its rows, but not the table.
    const isEmptied = manifest.excluded.includes(`rows of table ${qualified}`);
    const actual = isEmptied ? `${await countRows(session, qualified, condition)} rows` : 'present';
    const expected = isEmptied ? '0 rows' : 'no such table';
    if (actual !== expected) differences.push({ what: `table ${qualified}`, expected, actual });
  }
  return differences;
}

async function countRows(session: DatabaseSession, qualified: string, condition: string | null): Promise<number> {
  const { rows } = await session.query<{ rows: string }>(
    `select count(*) as rows from only ${qualified} ${condition ?? ''}`,
  );
  return Number(rows[0]?.rows);
}

async function compareSequences(
  session: DatabaseSession,
  manifest: BackupManifest,
  signal: AbortSignal,
): Promise<Difference[]> {
  const listed = await session.query<{ schema: string; name: string }>(readSqlFile('drill/sequences.sql'));
  const present = new Set(listed.rows.map((row) => quoteQualified(row.schema, row.name)));
  const differences: Difference[] = [];
  for (const sequence of manifest.sequences) {
    signal.throwIfAborted();
    const qualified = quoteQualified(sequence.schema, sequence.name);
    const expected = `${sequence.lastValue}${sequence.isCalled ? '' : ' (not called)'}`;
    if (!present.has(qualified)) {
      differences.push({ what: `sequence ${qualified}`, expected, actual: 'no such sequence' });
      continue;
    }
    const { rows } = await session.query<{ last_value: string; is_called: boolean }>(
      `select last_value::text, is_called from ${qualified}`,
    );
    const actual = `${rows[0]?.last_value}${rows[0]?.is_called ? '' : ' (not called)'}`;
    if (actual !== expected) differences.push({ what: `sequence ${qualified}`, expected, actual });
  }
  return differences;
}

async function compareExtensions(session: DatabaseSession, manifest: BackupManifest): Promise<Difference[]> {
  const { rows } = await session.query<{ name: string }>(readSqlFile('backup/extensions.sql'));
  const present = new Set(rows.map(({ name }) => name));
  return manifest.extensions
    .filter(({ name }) => !present.has(name))
    .map(({ name, version }) => ({ what: `extension "${name}"`, expected: version, actual: 'not installed' }));
}
