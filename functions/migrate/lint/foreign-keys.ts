// The foreign keys that a statement makes, wherever it writes them: in CREATE TABLE, behind a column, or by ADD CONSTRAINT.
import type { ColumnDef, Constraint, Node } from 'libpg-query';
import {
  alterCommandsOf,
  columnOf,
  constraintOf,
  constraintsOfColumn,
  nameOfRelation,
  namesOf,
  partsOfTable,
  type WrittenName,
} from './statement-parts.ts';

export interface MadeForeignKey {
  readonly table: WrittenName;
  /** The columns that refer. */
  readonly columns: readonly string[];
}

/** In the order of the text. */
export function foreignKeysOf(tree: Node): MadeForeignKey[] {
  if ('CreateStmt' in tree) {
    const table = nameOfRelation(tree.CreateStmt.relation);
    const { columns, constraints } = partsOfTable(tree);
    return [
      ...columns.flatMap((column) => behind(table, column)),
      ...constraints.flatMap((one) => ofTable(table, one)),
    ];
  }
  return alterCommandsOf(tree).flatMap((alter) => {
    const column = alter.subtype === 'AT_AddColumn' ? columnOf(alter) : undefined;
    return column ? behind(alter.table, column) : ofTable(alter.table, constraintOf(alter));
  });
}

function behind(table: WrittenName, column: ColumnDef): MadeForeignKey[] {
  return constraintsOfColumn(column)
    .filter(({ contype }) => contype === 'CONSTR_FOREIGN')
    .map(() => ({ table, columns: [column.colname ?? ''] }));
}

function ofTable(table: WrittenName, constraint: Constraint | undefined): MadeForeignKey[] {
  return constraint?.contype === 'CONSTR_FOREIGN' ? [{ table, columns: namesOf(constraint.fk_attrs) }] : [];
}
