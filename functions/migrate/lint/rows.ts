// Rules on statements that change rows.
import type { Node } from 'libpg-query';
import type { LintContext, LintRule } from './lint-rule.ts';
import { nameOfRelation, nodesBelow, showName, type WrittenName } from './statement-parts.ts';
import { sizeOf } from './table-size.ts';

export const rowRules: readonly LintRule[] = [
  {
    name: 'require-batches',
    severity: 'error',
    message: 'an UPDATE or DELETE of many rows in one transaction locks them all until it ends',
    why: 'Writers of these rows wait, dead rows pile up that no vacuum can remove meanwhile, and replicas fall behind.',
    instead:
      'the header line "-- nightshift: batch by <column> <rows>" above it: migrate commits batch by batch, and goes on where it stopped',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const target = changedTable(context.tree);
      if (!target || context.unit.kind === 'batch') return [];
      const { size, about } = sizeOf(context, target.name);
      if (size === 'new' || size === 'small' || namesFewRows(target.where)) return [];
      const some = target.where === undefined ? 'all rows of ' : 'perhaps many rows of ';
      return [{ about: `${some}${about}`, ...(target.where !== undefined && { severity: 'warning' as const }) }];
    },
  },
  {
    name: 'ban-backfill-under-row-security',
    severity: 'error',
    message:
      'row level security decides which rows this changes: with no policy for the role it is none, and no error tells so',
    why: 'FORCE ROW LEVEL SECURITY holds for the owner too. Other tools change 0 rows and record success; sessions of migrate have row_security off, so that the statement fails instead.',
    instead:
      'in the same file: ALTER TABLE … NO FORCE ROW LEVEL SECURITY before it and FORCE again after it, or a policy for the role of migrate',
    decidedBy: 'catalog',
    alsoDown: true,
    check({ tree, schema }) {
      if (schema.catalog?.bypassesPolicies === true) return [];
      const target = changedTable(tree);
      const cut = [...(target ? [target.name] : []), ...tablesReadBy(tree)].filter((name) => {
        const table = schema.table(name);
        return table?.rowSecurity === true && (table.forcesRowSecurity || !table.isOwned);
      });
      return cut.map((name) => ({ about: showName(name) }));
    },
  },
  {
    name: 'ban-duplicate-set',
    severity: 'error',
    message: 'UPDATE sets a column twice, which the server refuses',
    why: 'The statement fails with 42601 after those before it have run and hold their locks.',
    instead: 'set it once',
    decidedBy: 'file',
    alsoDown: true,
    check({ tree }) {
      if (!('UpdateStmt' in tree)) return [];
      const names = (tree.UpdateStmt.targetList ?? []).flatMap((target) =>
        // A part of a composite or of an array may be set beside another part.
        'ResTarget' in target && !target.ResTarget.indirection ? [target.ResTarget.name ?? ''] : [],
      );
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      return [...new Set(twice)].map((name) => ({ about: `"${name}"` }));
    },
  },
];

/** The table whose rows a statement changes, and on which condition. */
function changedTable(tree: Node): { name: WrittenName; where: Node | undefined } | undefined {
  const statement = 'UpdateStmt' in tree ? tree.UpdateStmt : 'DeleteStmt' in tree ? tree.DeleteStmt : undefined;
  return statement && { name: nameOfRelation(statement.relation), where: statement.whereClause };
}

/** The tables whose rows a statement copies or compares with; rows that are written out need none. */
function tablesReadBy(tree: Node): WrittenName[] {
  const parts: unknown[] = [];
  if ('UpdateStmt' in tree) parts.push(tree.UpdateStmt.fromClause, tree.UpdateStmt.whereClause);
  else if ('DeleteStmt' in tree) parts.push(tree.DeleteStmt.usingClause, tree.DeleteStmt.whereClause);
  else if ('CreateTableAsStmt' in tree) parts.push(tree.CreateTableAsStmt.query);
  else if ('InsertStmt' in tree) {
    const { selectStmt } = tree.InsertStmt;
    const isWrittenOut = selectStmt && 'SelectStmt' in selectStmt && selectStmt.SelectStmt.valuesLists !== undefined;
    if (!isWrittenOut) parts.push(selectStmt);
  }
  const found: WrittenName[] = [];
  for (const node of nodesBelow(parts)) if ('RangeVar' in node) found.push(nameOfRelation(node.RangeVar));
  return found;
}

/** Whether one of the parts that AND joins compares a column with = or IN to values: as far as the file can tell, few rows. */
function namesFewRows(where: Node | undefined): boolean {
  if (where === undefined) return false;
  if ('BoolExpr' in where && where.BoolExpr.boolop === 'AND_EXPR') {
    return (where.BoolExpr.args ?? []).some(namesFewRows);
  }
  if (!('A_Expr' in where)) return false;
  const { kind, name = [], lexpr, rexpr } = where.A_Expr;
  const operator = name[0] && 'String' in name[0] ? name[0].String.sval : undefined;
  if (operator !== '=' || (kind !== 'AEXPR_OP' && kind !== 'AEXPR_IN')) return false;
  const isColumn = (node: Node | undefined) => node !== undefined && 'ColumnRef' in node;
  return (isColumn(lexpr) && isValue(rexpr)) || (isColumn(rexpr) && isValue(lexpr));
}

function isValue(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if ('List' in node) return (node.List.items ?? []).every(isValue);
  return 'A_Const' in node || ('TypeCast' in node && isValue(node.TypeCast.arg));
}

/** Whether a statement reads or writes as many rows as there are; for the rule on work under a lock. */
export function worksOnRows(context: LintContext): boolean {
  const { tree } = context;
  const target = changedTable(tree);
  if (target) {
    const { size } = sizeOf(context, target.name);
    return !namesFewRows(target.where) && size !== 'new' && size !== 'small';
  }
  if ('InsertStmt' in tree) {
    const { selectStmt } = tree.InsertStmt;
    return (
      selectStmt !== undefined && 'SelectStmt' in selectStmt && (selectStmt.SelectStmt.fromClause ?? []).length > 0
    );
  }
  if ('CreateTableAsStmt' in tree) return tree.CreateTableAsStmt.into?.skipData !== true;
  return 'RefreshMatViewStmt' in tree;
}
