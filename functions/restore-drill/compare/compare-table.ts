// Compares the rows of one restored table with the backup: their number, and by the row digest each of their values.
import { createRowDigester, type RowDigest } from '../../shared/archive-data/row-digest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { INVALID_PARAMETER_VALUE, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier, quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type Comparison, comparison } from './comparison.ts';

export interface ExpectedTable {
  schema: string;
  name: string;
  rows: number;
  /** In the order of the archive. */
  columns: readonly string[];
  /** Of all rows; or why they can only be counted. */
  contents: { digest: string; lcMonetary: string } | { notProven: string };
}

interface TableRow {
  columns: string[];
  is_forced: boolean;
  has_money: boolean;
  condition: string | null;
}

/**
 * Reads the whole table once, in the columns and the text of the archive; memory does not grow with it.
 *
 * Everything happens in a transaction that is rolled back. The session must be the owner's where row level security is
 * forced: the table is opened for the time of the reading, else the server refuses to cut rows silently.
 */
export async function compareTable(
  session: DatabaseSession,
  expected: ExpectedTable,
  signal: AbortSignal,
): Promise<Comparison> {
  const qualified = quoteQualified(expected.schema, expected.name);
  const what = `table ${qualified}`;
  const difference = (is: string, actual: string) => comparison({ differences: [{ what, expected: is, actual }] });
  await session.query('begin');
  await session.query(readSqlFile('backup/session.sql'));
  try {
    const listed = await session.query<TableRow>(readSqlFile('restore-drill/table.sql'), [
      expected.schema,
      expected.name,
    ]);
    const table = listed.rows[0];
    if (table === undefined) return difference(`${expected.rows} rows`, 'no such table');
    const missing = expected.columns.filter((column) => !table.columns.includes(column));
    if (missing.length > 0) {
      return difference(`column ${missing.map(quoteIdentifier).join(', ')}`, 'no such column');
    }
    if (table.is_forced) await session.query(`alter table ${qualified} no force row level security`);
    const problem = table.has_money ? await chooseMoney(session, expected) : undefined;
    const isDigested = 'digest' in expected.contents && problem === undefined;
    const from = `from only ${qualified} ${table.condition ?? ''}`;
    const actual = isDigested
      ? await digestRows(
          session,
          `copy (select ${expected.columns.map(quoteIdentifier).join(', ')} ${from}) to stdout`,
          signal,
        )
      : { rows: await countRows(session, from), digest: undefined };
    if (actual.rows !== expected.rows) return difference(`${expected.rows} rows`, `${actual.rows} rows`);
    if ('digest' in expected.contents && isDigested && actual.digest !== expected.contents.digest) {
      return difference(`rows with digest ${expected.contents.digest}`, `other values, digest ${actual.digest}`);
    }
    return comparison({
      compared: { tables: 1, rows: actual.rows },
      notProven: notProven(expected, problem),
    });
  } finally {
    // A session that was lost says so by its own error.
    await session.query('rollback').catch(() => {});
  }
}

function notProven({ schema, name, contents }: ExpectedTable, problem: string | undefined): string[] {
  if ('notProven' in contents) return [contents.notProven];
  return problem === undefined ? [] : [`values of table ${quoteQualified(schema, name)}: only counted, ${problem}`];
}

/** Sets the locale in which the source has shown money; why it cannot be, where the server does not have it. */
async function chooseMoney(session: DatabaseSession, { contents }: ExpectedTable): Promise<string | undefined> {
  if (!('lcMonetary' in contents)) return undefined;
  await session.query('savepoint money');
  try {
    await session.query("select pg_catalog.set_config('lc_monetary', $1, true)", [contents.lcMonetary]);
    return undefined;
  } catch (error) {
    if (sqlState(error) !== INVALID_PARAMETER_VALUE) throw error;
    await session.query('rollback to savepoint money');
    return `because lc_monetary cannot be "${contents.lcMonetary}" on this server`;
  }
}

async function digestRows(session: DatabaseSession, copy: string, signal: AbortSignal): Promise<RowDigest> {
  const digester = createRowDigester();
  const { rows } = await session.copyOut(copy, {
    take: (text) => {
      digester.push(text);
      return undefined;
    },
    signal,
  });
  const { openBytes, ...digest } = digester.end();
  if (openBytes > 0 || digest.rows !== rows) {
    throw new Error(`COPY said ${rows} rows, and gave ${digest.rows} lines and ${openBytes} bytes more`);
  }
  return digest;
}

async function countRows(session: DatabaseSession, from: string): Promise<number> {
  const { rows } = await session.query<{ rows: string }>(`select count(*) as rows ${from}`);
  return Number(rows[0]?.rows);
}
