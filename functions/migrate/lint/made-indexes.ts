// The indexes that a statement makes, by CREATE INDEX or for a constraint, as far as they find every row.
import type { Constraint, Node } from 'libpg-query';
import {
  alterCommandsOf,
  columnOf,
  constraintOf,
  constraintsOfColumn,
  indexColumns,
  nameOfRelation,
  namesOf,
  partsOfTable,
  type WrittenName,
} from './statement-parts.ts';

export interface MadeIndex {
  readonly table: WrittenName;
  /** In order; an expression is an empty text. */
  readonly columns: string[];
}

/** None for a partial index. */
export function indexesMadeBy(tree: Node): MadeIndex[] {
  if ('IndexStmt' in tree) {
    const { relation, whereClause, indexParams } = tree.IndexStmt;
    return whereClause ? [] : [{ table: nameOfRelation(relation), columns: indexColumns(indexParams) }];
  }
  if ('CreateStmt' in tree) {
    const table = nameOfRelation(tree.CreateStmt.relation);
    const { columns, constraints } = partsOfTable(tree);
    const behind = columns.flatMap((column) =>
      constraintsOfColumn(column).some(hasIndex) ? [{ table, columns: [column.colname ?? ''] }] : [],
    );
    return [...behind, ...constraints.filter(hasIndex).map(({ keys }) => ({ table, columns: namesOf(keys) }))];
  }
  return alterCommandsOf(tree).flatMap((alter) => {
    const { table } = alter;
    const constraint = constraintOf(alter);
    if (constraint) return hasIndex(constraint) ? [{ table, columns: namesOf(constraint.keys) }] : [];
    const column = alter.subtype === 'AT_AddColumn' ? columnOf(alter) : undefined;
    return constraintsOfColumn(column).some(hasIndex) ? [{ table, columns: [column?.colname ?? ''] }] : [];
  });
}

function hasIndex({ contype }: Constraint): boolean {
  return contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE';
}
