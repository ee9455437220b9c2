// Fills a scratch database with rows, so that a migration has something to scan, to break and to lose: from sql/seeds/ where
// there is a file for the table, generated otherwise. Triggers of the users are off meanwhile, so that rows are only these.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { columnValue } from './column-values.ts';
import { type FillableColumn, type FillableTable, readFillableTables } from './fillable-tables.ts';
import { inSavepoint, insertRows } from './insert-rows.ts';
import type { Seeds } from './seeds.ts';

export interface Filled {
  /** Tables that have rows now, by qualified name. */
  readonly withRows: string[];
  readonly withoutRows: { table: string; reason: string }[];
}

/** Puts rows into every table that has none, parents first; one transaction. */
export async function fillEmptyTables(session: DatabaseSession, seeds: Seeds, rowsWanted: number): Promise<Filled> {
  return await inFillingTransaction(session, async (tables) => {
    const filled: Filled = { withRows: [], withoutRows: [] };
    for (const table of tables) {
      const reason = (await hasRows(session, table)) ? undefined : await fillTable(session, table, seeds, rowsWanted);
      if (reason === undefined) filled.withRows.push(table.qualified);
      else filled.withoutRows.push({ table: table.qualified, reason });
    }
    return filled;
  });
}

/**
 * Gives the rows of each table values in its columns that `isNew` names; one transaction.
 *
 * Values that the server refuses are left out: the row keeps what it has.
 */
export async function fillColumns(
  session: DatabaseSession,
  isNew: (table: FillableTable, column: FillableColumn) => boolean,
): Promise<void> {
  await inFillingTransaction(session, async (tables) => {
    for (const table of tables) {
      const referring = new Set(table.foreignKeys.flatMap(({ columns }) => columns));
      // A reference needs a key that is there: null is always one.
      const columns = table.columns.filter(
        (column) => column.given && !referring.has(column.name) && isNew(table, column),
      );
      if (columns.length > 0) await fillColumnsOf(session, table, columns);
    }
  });
}

async function fillColumnsOf(session: DatabaseSession, table: FillableTable, columns: readonly FillableColumn[]) {
  const { rows } = await session.query<{ place: string; relation: string }>(
    `select ctid::text as place, tableoid::regclass::text as relation from ${table.qualified} order by tableoid, ctid`,
  );
  for (const column of columns) {
    for (const [index, { place, relation }] of rows.entries()) {
      const value = columnValue(column, index);
      if (value === undefined) continue;
      const updated = await inSavepoint(
        session,
        `update ${relation} set ${quoteIdentifier(column.name)} = $1 where ctid = $2::tid returning ctid::text as place`,
        [value, place],
      );
      // An update moves the row.
      const moved = updated.rows[0]?.['place'];
      if (typeof moved === 'string') rows[index] = { place: moved, relation };
    }
  }
}

async function inFillingTransaction<T>(
  session: DatabaseSession,
  use: (tables: readonly FillableTable[]) => Promise<T>,
): Promise<T> {
  await session.query('begin');
  await session.query('set local search_path = pg_catalog, pg_temp');
  const tables = await readFillableTables(session);
  const guarded = tables.filter(({ isForced, triggers }) => isForced || triggers.length > 0);
  for (const { qualified, isForced, triggers } of guarded) {
    if (isForced) await session.query(`alter table ${qualified} no force row level security`);
    if (triggers.length > 0) await session.query(`alter table ${qualified} disable trigger user`);
  }
  const result = await use(tables);
  await session.query('set constraints all immediate');
  for (const { qualified, isForced, triggers } of guarded) {
    if (isForced) await session.query(`alter table ${qualified} force row level security`);
    for (const { name, enabled } of triggers) {
      const how = { O: 'enable', R: 'enable replica', A: 'enable always' }[enabled] ?? 'enable';
      await session.query(`alter table ${qualified} ${how} trigger ${quoteIdentifier(name)}`);
    }
  }
  await session.query('commit');
  return result;
}

async function hasRows(session: DatabaseSession, { qualified }: FillableTable): Promise<boolean> {
  const { rowCount } = await session.query(`select from ${qualified} limit 1`);
  return rowCount > 0;
}

/** Why it stays empty, or undefined when it has rows. */
async function fillTable(
  session: DatabaseSession,
  table: FillableTable,
  seeds: Seeds,
  rowsWanted: number,
): Promise<string | undefined> {
  const seed = seeds.of(table.schema, table.name);
  const seedRefused = seed === undefined ? undefined : (await inSavepoint(session, seed)).refusal;
  if (seed !== undefined && seedRefused === undefined && (await hasRows(session, table))) return undefined;
  const { rows, refusal } = await insertRows(session, table, rowsWanted);
  if (rows > 0) return undefined;
  const why = refusal ?? 'it took no row';
  return seedRefused === undefined ? why : `its seed file was refused: ${seedRefused}; generated rows: ${why}`;
}
