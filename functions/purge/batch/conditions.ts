// SQL conditions on a row out of links and keys. Pure: names from the catalog, quoted; values as parameters.
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import type { AppliedLink } from '../links/link-graph.ts';
import { columnType, type TableFacts } from '../links/read-tables.ts';
import type { Parameters } from './parameters.ts';

export type Tables = ReadonlyMap<string, TableFacts>;

/** All of them; `true` when there is none. */
export function all(conditions: readonly string[]): string {
  return joined(conditions, 'true', ' and ');
}

/** Any of them; `false` when there is none. */
export function any(conditions: readonly string[]): string {
  return joined(conditions, 'false', ' or ');
}

/**
 * What decides alone, as `true` of several, does not take the others away: they may hold parameters, and the server refuses a
 * parameter that stands nowhere.
 */
function joined(conditions: readonly string[], neutral: 'true' | 'false', operator: string): string {
  const needed = [...new Set(conditions)].filter((one) => one !== neutral);
  const [first] = needed;
  if (first === undefined) return neutral;
  return needed.length === 1 && isConstant(first) ? first : needed.map((one) => `(${one})`).join(operator);
}

function isConstant(condition: string): boolean {
  return condition === 'true' || condition === 'false';
}

/** The table of a node by its oid. */
export function tableOf(tables: Tables, oid: string): TableFacts {
  const table = tables.get(oid);
  if (table === undefined) throw new RangeError(`nothing is known of the table with oid ${oid}`);
  return table;
}

/** A foreign key binds the rows of a plain table, not those of its heirs. */
export function childRows(table: TableFacts): string {
  return table.kind === 'p' ? table.qualified : `only ${table.qualified}`;
}

/** `parent` and `child` are aliases; the columns of a classified link are those of the primary key of the parent. */
export function joins(applied: AppliedLink, child: string, parent: string, parentTable: TableFacts): string {
  const { childColumns, parentColumns } = applied.link;
  const columns = parentColumns.length > 0 ? parentColumns : parentTable.primary_key;
  return childColumns
    .map((column, index) => `${child}.${quoteIdentifier(column)} = ${parent}.${quoteIdentifier(columns[index] ?? '')}`)
    .join(' and ');
}

/** Where the link covers only some of the tables that a name stands for. */
export function inTables(alias: string, only: readonly string[] | undefined, parameters: Parameters): string {
  return only === undefined ? 'true' : `${alias}.tableoid = any(${parameters.add(only)}::oid[])`;
}

/** The row has one of the keys of the table, in `named` where it has them under other names; each is a text for each key column. */
export function hasKey(
  table: TableFacts,
  alias: string,
  keys: readonly (readonly string[])[],
  parameters: Parameters,
  named: readonly string[] = table.primary_key,
): string {
  const columns = table.primary_key;
  const names = named.map((column) => `${alias}.${quoteIdentifier(column)}`);
  const arrays = columns.map(
    (column, index) => `${parameters.add(keys.map((key) => key[index]))}::${columnType(table, column)}[]`,
  );
  if (columns.length === 1) return `${names[0]} = any(${arrays[0]})`;
  const aliases = columns.map((_, index) => `k${index + 1}`);
  return `(${names.join(', ')}) in (select ${aliases.join(', ')} from unnest(${arrays.join(', ')}) as held (${aliases.join(', ')}))`;
}

/** The row leads to the person with one of these keys over the way that `links` are. */
export function leadsTo(
  tables: Tables,
  way: readonly AppliedLink[],
  alias: string,
  keys: readonly (readonly string[])[],
  parameters: Parameters,
): string {
  const [first, ...rest] = way;
  if (first === undefined) throw new RangeError('a way has at least one link');
  const parent = tableOf(tables, first.link.parentOid);
  const named = rest.length === 0 ? namesOfKey(first, parent) : undefined;
  if (named !== undefined) {
    // Without a look at the person's own row, which may be gone already.
    // A row that names nobody must be told "no", not null, whose negation is not true either: it would never go.
    const names = named.map((column) => `${alias}.${quoteIdentifier(column)} is not null`);
    return all([inTables(alias, first.only, parameters), ...names, hasKey(parent, alias, keys, parameters, named)]);
  }
  const parentAlias = `${alias}_up`;
  const further =
    rest.length === 0
      ? hasKey(parent, parentAlias, keys, parameters)
      : leadsTo(tables, rest, parentAlias, keys, parameters);
  const condition = all([joins(first, alias, parentAlias, parent), further]);
  return all([
    inTables(alias, first.only, parameters),
    `exists (select from ${parent.qualified} as ${parentAlias} where ${condition})`,
  ]);
}

/** The columns of the child that hold the primary key of the parent, in its order; undefined: they hold something else of it. */
function namesOfKey({ link }: AppliedLink, parent: TableFacts): string[] | undefined {
  const columns = link.parentColumns.length > 0 ? link.parentColumns : parent.primary_key;
  const named = parent.primary_key.map((column) => link.childColumns[columns.indexOf(column)]);
  return columns.length === named.length && named.every((name) => name !== undefined) ? named : undefined;
}

/** A row of the link's child table, of which `condition` holds, references the row. */
export function isReferenced(
  tables: Tables,
  applied: AppliedLink,
  alias: string,
  parent: TableFacts,
  parameters: Parameters,
  condition: (childAlias: string) => string,
): string {
  const child = tableOf(tables, applied.link.childOid);
  const childAlias = `${alias}_c`;
  const inner = condition(childAlias);
  if (inner === 'false') return 'false';
  return all([
    inTables(alias, applied.only, parameters),
    `exists (select from ${childRows(child)} as ${childAlias} where ${all([joins(applied, childAlias, alias, parent), inner])})`,
  ]);
}
