// Puts generated rows into one table of a scratch database, trying other values where a constraint refuses the first ones.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier, quoteQualified } from '../../shared/quote-identifier.ts';
import { columnValue, valuesNamedInChecks } from './column-values.ts';
import type { FillableColumn, FillableTable } from './fillable-tables.ts';

/** Tries for one row: enough for every value of a CHECK with a short list in each of some columns. */
const MOST_TRIES = 40;

/** A value as text, null, or `default`: the column is left out. */
type Value = string | null | { default: true };
const DEFAULT = { default: true } as const;

export interface InsertedRows {
  readonly rows: number;
  /** Why the last row that failed was refused. */
  readonly refusal: string | undefined;
}

/** Inserts up to `wanted` rows in the caller's transaction; those that are refused leave nothing behind. */
export async function insertRows(
  session: DatabaseSession,
  table: FillableTable,
  wanted: number,
): Promise<InsertedRows> {
  const references = await readReferences(session, table, wanted);
  let rows = 0;
  let refusal: string | undefined;
  for (let index = 0; index < wanted; index += 1) {
    const refused = await insertRow(session, table, index, references);
    if (refused === undefined) rows += 1;
    else {
      refusal = refused;
      // What no first row could satisfy, no later one will.
      if (rows === 0 && index > 0) break;
    }
  }
  return { rows, refusal };
}

async function insertRow(
  session: DatabaseSession,
  table: FillableTable,
  index: number,
  references: ReadonlyMap<string, readonly (string | null)[]>,
): Promise<string | undefined> {
  const columns = table.columns.filter(({ given }) => given);
  let refusal: string | undefined;
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const values = new Map<string, Value>(
      columns.map((column) => [column.name, choose(column, index, attempt, references.get(column.name))]),
    );
    referToItself(table, values);
    const refused = await tryInsert(session, table, values);
    if (refused === undefined) return undefined;
    // The first try is the one that a person would make.
    refusal ??= refused;
  }
  return refusal;
}

/**
 * The value of a column in a try: first the generated one, then defaults and nulls, then what the CHECKs name, in a
 * sequence that is another for each column and the same in each run.
 */
function choose(
  column: FillableColumn,
  index: number,
  attempt: number,
  referenced: readonly (string | null)[] | undefined,
): Value {
  const known = columnValue(column, index);
  const spare = column.has_default ? DEFAULT : column.required ? (known ?? null) : null;
  if (referenced !== undefined) return referenced[index % Math.max(1, referenced.length)] ?? spare;
  const generated = known ?? spare;
  if (attempt === 0) return generated;
  if (attempt === 1) return column.has_default ? DEFAULT : generated;
  if (attempt === 2) return spare;
  const named = valuesNamedInChecks(column);
  const candidates: Value[] = named.length > 0 ? [...named, generated, spare] : [generated, spare];
  return candidates[mixed(column.number, attempt + index) % candidates.length] ?? spare;
}

/** A small number from two, without visible order. */
function mixed(one: number, other: number): number {
  return (Math.imul(one * 31 + other, 0x9e3779b1) >>> 8) & 0xffff;
}

/** A reference of the table to itself is satisfied by the row itself, whose key is known when it is no default. */
function referToItself(table: FillableTable, values: Map<string, Value>): void {
  for (const { parent, columns, keys } of table.foreignKeys) {
    if (parent !== table.oid) continue;
    columns.forEach((column, place) => {
      const key = values.get(keys[place] ?? '') ?? null;
      if (column !== keys[place]) values.set(column, typeof key === 'string' ? key : null);
    });
  }
}

async function tryInsert(
  session: DatabaseSession,
  table: FillableTable,
  values: ReadonlyMap<string, Value>,
): Promise<string | undefined> {
  const given = [...values].flatMap(([name, value]) =>
    typeof value === 'string' || value === null ? [{ name: quoteIdentifier(name), value }] : [],
  );
  const names = given.map(({ name }) => name).join(', ');
  const places = given.map((_one, place) => `$${place + 1}`).join(', ');
  const statement = `insert into ${table.qualified} ${given.length === 0 ? 'default values' : `(${names}) values (${places})`}`;
  const inserted = await inSavepoint(
    session,
    statement,
    given.map(({ value }) => value),
  );
  return inserted.refusal;
}

/** Runs it behind a savepoint: its rows, or the words with which the server refuses it, with nothing left behind. */
export async function inSavepoint(
  session: DatabaseSession,
  statement: string,
  values: readonly unknown[] = [],
): Promise<{ refusal: string | undefined; rows: Record<string, unknown>[] }> {
  await session.query('savepoint filling');
  try {
    const { rows } = await session.query(statement, values);
    await session.query('release savepoint filling');
    return { refusal: undefined, rows };
  } catch (error) {
    if (isSessionLost(error)) throw error;
    await session.query('rollback to savepoint filling');
    const state = sqlState(error);
    return { refusal: `${state === undefined ? '' : `SQLSTATE ${state}: `}${describeError(error)}`, rows: [] };
  }
}

/** For each column of a foreign key the keys of its parent, in one order for all columns of the key. */
async function readReferences(
  session: DatabaseSession,
  table: FillableTable,
  wanted: number,
): Promise<ReadonlyMap<string, readonly (string | null)[]>> {
  const references = new Map<string, readonly (string | null)[]>();
  for (const key of table.foreignKeys.filter(({ parent }) => parent !== table.oid)) {
    const keys = key.keys.map(quoteIdentifier);
    const { rows } = await session.query<{ values: (string | null)[] }>(
      `select array[${keys.map((name) => `${name}::text`).join(', ')}] as values from ${quoteQualified(key.schema, key.table)} order by ${keys.join(', ')} limit ${wanted}`,
    );
    key.columns.forEach((column, place) => {
      references.set(
        column,
        rows.map(({ values }) => values[place] ?? null),
      );
    });
  }
  return references;
}
