// What the commands of ALTER TABLE make of a table in the run's schema, and what a new column or constraint adds to it.
import type { ColumnDef, Constraint, Node } from 'libpg-query';
import { columnType, isSerial } from './column-type.ts';
import type { CatalogConstraint } from './lint-catalog.ts';
import { notNullColumns } from './not-null-proof.ts';
import type { RunSchema, RunTable } from './run-schema.ts';
import {
  type AlterCommand,
  alterCommandsOf,
  columnOf,
  columnsIn,
  constraintOf,
  constraintsOfColumn,
  indexColumns,
  namesOf,
} from './statement-parts.ts';

/** Applies each command in turn; a table that nobody knows becomes known by what is said of it. */
export function alterTable(schema: RunSchema, tree: Node): void {
  for (const alter of alterCommandsOf(tree)) {
    const table = schema.knownTable(alter.table);
    apply(schema, table, alter);
  }
}

function apply(schema: RunSchema, table: RunTable, alter: AlterCommand): void {
  const { subtype, command } = alter;
  const name = command.name ?? '';
  const column = table.columns.get(name);
  switch (subtype) {
    case 'AT_AddColumn': {
      const added = columnOf(alter);
      if (added && !(command.missing_ok === true && table.columns.has(added.colname ?? ''))) {
        addColumn(schema, table, added);
      }
      return;
    }
    case 'AT_DropColumn':
      table.columns.delete(name);
      for (const index of table.indexes.values()) if (index.uses.includes(name)) table.indexes.delete(index.name);
      for (const one of table.constraints.values()) if (one.columns.includes(name)) table.constraints.delete(one.name);
      return;
    case 'AT_AlterColumnType':
      if (columnOf(alter)) {
        const type = columnType(columnOf(alter)?.typeName, schema);
        table.columns.set(name, { name, notNull: column?.notNull ?? false, type });
      }
      return;
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
      if (column) table.columns.set(name, { ...column, notNull: subtype === 'AT_SetNotNull' });
      return;
    case 'AT_AddConstraint': {
      const constraint = constraintOf(alter);
      if (constraint) addConstraint(schema, table, constraint);
      return;
    }
    case 'AT_ValidateConstraint': {
      const known = table.constraints.get(name);
      if (!known) return;
      table.constraints.set(name, { ...known, isValid: true });
      if (known.kind === 'not null') setNotNull(table, known.columns);
      return;
    }
    case 'AT_DropConstraint':
      table.constraints.delete(name);
      table.indexes.delete(name);
      return;
    case 'AT_EnableRowSecurity':
    case 'AT_DisableRowSecurity':
      table.rowSecurity = subtype === 'AT_EnableRowSecurity';
      return;
    case 'AT_ForceRowSecurity':
    case 'AT_NoForceRowSecurity':
      table.forcesRowSecurity = subtype === 'AT_ForceRowSecurity';
      return;
    case 'AT_SetUnLogged':
    case 'AT_SetLogged':
      table.isUnlogged = subtype === 'AT_SetUnLogged';
      return;
    case 'AT_SetAccessMethod':
      table.accessMethod = name;
      return;
    case 'AT_SetTableSpace':
      table.tablespace = name;
      return;
    default:
  }
}

/** Adds the column with the constraints that stand behind it. */
export function addColumn(schema: RunSchema, table: RunTable, column: ColumnDef): void {
  const name = column.colname ?? '';
  const constraints = constraintsOfColumn(column);
  const implies = new Set(['CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_IDENTITY']);
  table.columns.set(name, {
    name,
    notNull: isSerial(column.typeName) || constraints.some(({ contype }) => implies.has(contype ?? '')),
    type: columnType(column.typeName, schema),
  });
  for (const constraint of constraints) addConstraint(schema, table, constraint, name);
}

/** Adds a constraint of the table, or of the one column behind which it stands. */
export function addConstraint(schema: RunSchema, table: RunTable, constraint: Constraint, column?: string): void {
  const written = constraintFacts(schema, table, constraint, column);
  if (!written) return;
  table.constraints.set(written.name, written);
  const setsNotNull = written.kind === 'primary key' || (written.kind === 'not null' && written.isValid);
  if (setsNotNull) setNotNull(table, written.columns);
  if (written.kind !== 'primary key' && written.kind !== 'unique' && written.kind !== 'exclusion') return;
  if (constraint.indexname !== undefined) table.indexes.delete(constraint.indexname);
  table.indexes.set(written.name, {
    name: written.name,
    columns: written.columns,
    uses: written.columns,
    isValid: true,
    isUnique: written.kind !== 'exclusion',
    isComputed: false,
    ofConstraint: true,
  });
  schema.putTable(table);
}

function setNotNull(table: RunTable, columns: readonly string[]): void {
  for (const name of columns) {
    const known = table.columns.get(name);
    if (known) table.columns.set(name, { ...known, notNull: true });
  }
}

function constraintFacts(
  schema: RunSchema,
  table: RunTable,
  constraint: Constraint,
  column: string | undefined,
): CatalogConstraint | undefined {
  const { contype, conname, raw_expr, pktable, indexname } = constraint;
  const own = column === undefined ? [] : [column];
  const isValid = constraint.skip_validation !== true;
  const make = (
    kind: CatalogConstraint['kind'],
    columns: readonly string[],
    ending: string,
    more: Partial<CatalogConstraint> = {},
  ): CatalogConstraint => ({
    name: conname ?? [table.name, ...columns, ending].join('_'),
    kind,
    columns,
    isValid,
    provesNotNull: [],
    references: undefined,
    ...more,
  });
  const keys = () => {
    if (indexname !== undefined) return table.indexes.get(indexname)?.columns ?? [];
    return constraint.keys ? namesOf(constraint.keys) : own;
  };
  switch (contype) {
    case 'CONSTR_PRIMARY':
      return make('primary key', keys(), 'pkey', { name: conname ?? indexname ?? `${table.name}_pkey` });
    case 'CONSTR_UNIQUE':
      return make('unique', keys(), 'key', conname === undefined && indexname !== undefined ? { name: indexname } : {});
    case 'CONSTR_NOTNULL':
      return make('not null', keys(), 'not_null');
    case 'CONSTR_CHECK':
      return make('check', columnsIn([raw_expr]), 'check', { provesNotNull: notNullColumns(raw_expr) });
    case 'CONSTR_EXCLUSION':
      return make('exclusion', excludedColumns(constraint), 'excl');
    case 'CONSTR_FOREIGN': {
      const target = { schema: pktable?.schemaname, name: pktable?.relname ?? '' };
      return make('foreign key', constraint.fk_attrs ? namesOf(constraint.fk_attrs) : own, 'fkey', {
        references: `${schema.schemaOf(target)}.${target.name}`,
      });
    }
    default:
      return undefined;
  }
}

function excludedColumns({ exclusions = [] }: Constraint): string[] {
  return exclusions.flatMap((pair) => ('List' in pair ? indexColumns(pair.List.items?.slice(0, 1)) : []));
}
