// The statements of a batch, put together from the templates in sql/purge/. Pure.
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { type HoldsInPlay, heldCondition } from '../keep/held-condition.ts';
import { referencedCondition } from '../keep/referenced-condition.ts';
import type { FamilyNode } from '../links/family.ts';
import type { AppliedLink } from '../links/link-graph.ts';
import type { TableFacts } from '../links/read-tables.ts';
import { all, childRows, inTables, joins, type Tables, tableOf } from './conditions.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { render } from './render.ts';
import type { Position, RowSet, RowWork } from './row-work.ts';

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

export interface Choice {
  readonly holds: HoldsInPlay;
  readonly after: Position | undefined;
  /** For rows that others have locked; else they are passed over. */
  readonly waits: boolean;
  readonly limit: number;
}

/**
 * How a batch takes its rows: it locks them, it locks and deletes them in one statement, or it deletes them at once. The last two
 * suit a plain table without a family only.
 */
export type Taking = 'lock' | 'lock and delete' | 'delete';

const TAKING: Readonly<Record<Taking, { file: string; source: string }>> = {
  lock: { file: 'choose-batch.sql', source: 'chosen' },
  'lock and delete': { file: 'choose-and-delete.sql', source: 'chosen' },
  delete: { file: 'delete-next.sql', source: 'gone' },
};

/** Takes the next rows in order, and answers how many and the place of the last one. */
export function takeStatement(work: RowWork, choice: Choice, taking: Taking): Statement {
  const parameters = createParameters();
  const { order } = work;
  const { file, source } = TAKING[taking];
  const numbers = order.map((_, index) => `p${index + 1}`);
  const scope = work.scope(parameters);
  const held = heldCondition(choice.holds, work.family.top, 't', parameters);
  const free = held === 'false' ? [] : [`not (${held})`];
  const sql = render(file, {
    table: work.table.qualified,
    condition: all([
      scope,
      afterCondition(work, choice.after, parameters),
      ...free,
      ...notReferenced(work, parameters),
    ]),
    // Without the foreign keys, which the server itself enforces at that moment.
    still: all([scope, ...free]),
    order: order.map((column) => column.sql).join(', '),
    order_columns: order.map((column, index) => `${column.sql} as ${numbers[index]}`).join(',\n    '),
    last_columns: numbers.map((name) => `${source}.${name}::text as ${name}`).join(',\n  '),
    last_order: numbers.map((name) => `${source}.${name} desc`).join(', '),
    limit: `${parameters.add(choice.limit)}::int`,
    locking: choice.waits ? '' : 'skip locked',
  });
  return { sql, values: parameters.values };
}

function afterCondition(work: RowWork, after: Position | undefined, parameters: Parameters): string {
  if (after === undefined) return 'true';
  const values = work.order.map(({ type }, index) => `${parameters.add(after[index])}::${type}`);
  return `(${work.order.map(({ sql }) => sql).join(', ')}) > (${values.join(', ')})`;
}

function notReferenced(work: RowWork, parameters: Parameters): string[] {
  if (work.action === 'anonymise') return [];
  const referenced = referencedCondition(work.tables, work.family.top, 't', parameters);
  return referenced === 'false' ? [] : [`not (${referenced})`];
}

/** Counts the scope; `held` and `referenced` are told apart. */
export function countStatement(work: RowWork, holds: HoldsInPlay): Statement {
  const parameters = createParameters();
  const [first] = work.order;
  const sql = render('count-rows.sql', {
    table: work.table.qualified,
    condition: work.scope(parameters),
    held: heldCondition(holds, work.family.top, 't', parameters),
    referenced:
      work.action === 'anonymise' ? 'false' : referencedCondition(work.tables, work.family.top, 't', parameters),
    oldest: work.isDated && first !== undefined ? `min(${first.sql})::text` : 'null::text',
  });
  return { sql, values: parameters.values };
}

/** Counts the rows of a node that would go or be changed with the rows in scope. */
export function countChildrenStatement(work: RowWork, way: readonly FamilyNode[]): Statement {
  const parameters = createParameters();
  const condition = belongsToScope(work, way, parameters, 'c');
  const child = tableOf(work.tables, way.at(-1)?.oid ?? '');
  return { sql: render('count-children.sql', { child: childRows(child), condition }), values: parameters.values };
}

function belongsToScope(work: RowWork, way: readonly FamilyNode[], parameters: Parameters, alias: string): string {
  const node = way.at(-1);
  if (node === undefined) throw new RangeError('a child has a way to the top');
  const above = way.slice(0, -1);
  const parent = above.length === 0 ? work.table : tableOf(work.tables, above.at(-1)?.oid ?? '');
  const parentAlias = above.length === 0 ? 't' : `${alias}_p`;
  const further = above.length === 0 ? work.scope(parameters) : belongsToScope(work, above, parameters, parentAlias);
  const condition = all([
    joins(node.applied, alias, parentAlias, parent),
    inTables(parentAlias, node.applied.only, parameters),
    further,
  ]);
  return `exists (select from ${parent.qualified} as ${parentAlias} where ${condition})`;
}

/** The rows of a set, by where they lie; they must be locked, or they may have moved. */
export function isInSet(table: TableFacts, alias: string, set: RowSet, parameters: Parameters): string {
  const places = `${parameters.add(set.places)}::tid[]`;
  const byPlace = `${alias}.ctid = any(${places})`;
  if (!hasParts(table)) return byPlace;
  // The places alone find the pages; the same place in another partition is another row.
  const tables = `${parameters.add(set.tables)}::oid[]`;
  return `${byPlace} and (${alias}.tableoid, ${alias}.ctid) in (select part, place from unnest(${tables}, ${places}) as chosen (part, place))`;
}

/** Whether its name stands for several tables that hold rows. */
export function hasParts(table: TableFacts): boolean {
  return table.kind === 'p' || (table.descendants ?? []).length > 0;
}

export function lockChildrenStatement(
  tables: Tables,
  parent: TableFacts,
  applied: AppliedLink,
  set: RowSet,
): Statement {
  const parameters = createParameters();
  const child = tableOf(tables, applied.link.childOid);
  const sql = render('lock-children.sql', {
    child: childRows(child),
    parent: parent.qualified,
    joins: joins(applied, 'c', 'p', parent),
    parent_rows: isInSet(parent, 'p', set, parameters),
    covered: inTables('p', applied.only, parameters),
  });
  return { sql, values: parameters.values };
}

export function keepReferencedBySelfStatement(
  tables: Tables,
  table: TableFacts,
  applied: AppliedLink,
  set: RowSet,
): Statement {
  const parameters = createParameters();
  const child = tableOf(tables, applied.link.childOid);
  const sql = render('keep-referenced-by-self.sql', {
    table: table.qualified,
    child: childRows(child),
    rows: isInSet(table, 't', set, parameters),
    joins: all([joins(applied, 'c', 't', table), inTables('t', applied.only, parameters)]),
  });
  return { sql, values: parameters.values };
}

export function deleteStatement(table: TableFacts, set: RowSet): Statement {
  const parameters = createParameters();
  const rows = isInSet(table, 't', set, parameters);
  return { sql: render('delete-rows.sql', { table: table.qualified, rows }), values: parameters.values };
}

/** The same with the places as literals, for COPY, which takes no parameters; `returning` speaks of the alias t. */
export function deleteReturningStatement(table: TableFacts, set: RowSet, returning: string): string {
  const literals: string[] = [];
  const parameters: Parameters = {
    add: (value) => {
      const literal = String(value);
      if (!/^\{[0-9(),"]*\}$/.test(literal)) throw new RangeError('places of rows are digits in brackets');
      literals.push(literal);
      return `'${literal}'`;
    },
    values: literals,
  };
  const rows = isInSet(table, 't', set, parameters);
  return `${render('delete-rows.sql', { table: table.qualified, rows }).trim().replace(/;$/, '')}\nreturning ${returning}`;
}

export function changeStatement(table: TableFacts, set: RowSet, assignments: string): Statement {
  const parameters = createParameters();
  const rows = isInSet(table, 't', set, parameters);
  return { sql: render('change-rows.sql', { table: table.qualified, assignments, rows }), values: parameters.values };
}

/** What SET NULL and SET DEFAULT of a foreign key do to its columns. */
export function unlinkAssignments(applied: AppliedLink, action: 'set null' | 'set default'): string {
  const value = action === 'set null' ? 'null' : 'default';
  return applied.link.setColumns.map((column) => `${quoteIdentifier(column)} = ${value}`).join(', ');
}
