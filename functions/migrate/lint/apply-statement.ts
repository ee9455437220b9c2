// What one statement makes of the schema, as far as rules ask for it. It follows the server, but refuses nothing: what the
// server would refuse changes the schema or not, and no rule depends on it.
import type { Constraint, Node, RenameStmt } from 'libpg-query';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { addColumn, addConstraint, alterTable } from './apply-alter.ts';
import { columnType } from './column-type.ts';
import { type RunSchema, type RunTable, unknownTable } from './run-schema.ts';
import {
  columnsIn,
  droppedNames,
  hasOption,
  indexColumns,
  nameOfRelation,
  namesOf,
  partsOfTable,
  type WrittenName,
  writtenName,
} from './statement-parts.ts';

/** Changes `schema` to what it is after the statement of that file. */
export function applyStatement(schema: RunSchema, { tree }: Pick<MigrationStatement, 'tree'>, file: string): void {
  if ('CreateStmt' in tree) createTable(schema, tree, file);
  else if ('AlterTableStmt' in tree) alterTable(schema, tree);
  else if ('IndexStmt' in tree) createIndex(schema, tree);
  else if ('DropStmt' in tree) drop(schema, tree);
  else if ('RenameStmt' in tree) rename(schema, tree.RenameStmt);
  else if ('CreateTableAsStmt' in tree) {
    const { into, objtype } = tree.CreateTableAsStmt;
    const kind = objtype === 'OBJECT_MATVIEW' ? 'materialized view' : 'table';
    putNew(schema, nameOfRelation(into?.rel), kind, file);
  } else if ('ViewStmt' in tree) putNew(schema, nameOfRelation(tree.ViewStmt.view), 'view', file);
  else if ('AlterObjectSchemaStmt' in tree) {
    const { relation, newschema, objectType } = tree.AlterObjectSchemaStmt;
    if (objectType === 'OBJECT_TABLE') move(schema, nameOfRelation(relation), { schema: newschema });
  } else if ('CreateDomainStmt' in tree) createDomain(schema, tree);
  else if ('AlterDomainStmt' in tree) alterDomain(schema, tree);
  else if ('CreateFunctionStmt' in tree) createFunction(schema, tree);
  else if ('VariableSetStmt' in tree) setLocal(schema, tree);
}

type Of<Kind extends string> = Extract<Node, Record<Kind, unknown>>;

function createTable(schema: RunSchema, tree: Of<'CreateStmt'>, file: string): void {
  const { relation, inhRelations = [], partspec, if_not_exists, tablespacename, accessMethod } = tree.CreateStmt;
  const written = nameOfRelation(relation);
  if (if_not_exists === true && schema.table(written)) return;
  const { columns, constraints } = partsOfTable(tree);
  const isCopied = (tree.CreateStmt.tableElts ?? []).some((element) => 'TableLikeClause' in element);
  const table: RunTable = {
    ...unknownTable(schema.schemaOf(written), written.name),
    kind: partspec ? 'partitioned table' : 'table',
    madeBy: file,
    isUnlogged: relation?.relpersistence === 'u',
    accessMethod,
    tablespace: tablespacename,
    isWhole: inhRelations.length === 0 && !isCopied,
  };
  for (const parent of inhRelations) {
    const from = 'RangeVar' in parent ? schema.table(nameOfRelation(parent.RangeVar)) : undefined;
    for (const column of from?.columns.values() ?? []) table.columns.set(column.name, column);
  }
  schema.putTable(table);
  for (const column of columns) addColumn(schema, table, column);
  for (const constraint of constraints) addConstraint(schema, table, constraint);
}

function putNew(schema: RunSchema, written: WrittenName, kind: RunTable['kind'], file: string): void {
  schema.putTable({ ...unknownTable(schema.schemaOf(written), written.name), kind, madeBy: file, isUnlogged: false });
}

function createIndex(schema: RunSchema, tree: Of<'IndexStmt'>): void {
  const { idxname, relation, indexParams, whereClause, unique, if_not_exists } = tree.IndexStmt;
  const table = schema.knownTable(nameOfRelation(relation));
  const columns = indexColumns(indexParams);
  const name = idxname ?? `${table.name}_${columns.map((column) => column || 'expr').join('_')}_idx`;
  if (if_not_exists === true && table.indexes.has(name)) return;
  table.indexes.set(name, {
    name,
    columns,
    uses: [...new Set([...columns.filter((column) => column !== ''), ...columnsIn([indexParams, whereClause])])],
    isValid: true,
    isUnique: unique === true,
    isComputed: whereClause !== undefined || columns.includes(''),
    ofConstraint: false,
  });
  schema.putTable(table);
}

function drop(schema: RunSchema, tree: Of<'DropStmt'>): void {
  const { removeType } = tree.DropStmt;
  for (const name of droppedNames(tree)) {
    if (removeType === 'OBJECT_TABLE' || removeType === 'OBJECT_VIEW' || removeType === 'OBJECT_MATVIEW') {
      schema.dropTable(name);
    } else if (removeType === 'OBJECT_INDEX') schema.tableOfIndex(name)?.indexes.delete(name.name);
  }
}

function rename(schema: RunSchema, { renameType, relation, subname = '', newname = '' }: RenameStmt): void {
  const written = nameOfRelation(relation);
  if (renameType === 'OBJECT_TABLE') move(schema, written, { name: newname });
  else if (renameType === 'OBJECT_COLUMN') {
    const table = schema.table(written);
    const column = table?.columns.get(subname);
    if (!table || !column) return;
    table.columns.delete(subname);
    table.columns.set(newname, { ...column, name: newname });
    for (const [name, index] of table.indexes) {
      const renamed = (names: readonly string[]) => names.map((one) => (one === subname ? newname : one));
      table.indexes.set(name, { ...index, columns: renamed(index.columns), uses: renamed(index.uses) });
    }
    for (const [name, constraint] of table.constraints) {
      const renamed = (names: readonly string[]) => names.map((one) => (one === subname ? newname : one));
      table.constraints.set(name, {
        ...constraint,
        columns: renamed(constraint.columns),
        provesNotNull: renamed(constraint.provesNotNull),
      });
    }
  } else if (renameType === 'OBJECT_TABCONSTRAINT') {
    const table = schema.table(written);
    const constraint = table?.constraints.get(subname);
    if (!table || !constraint) return;
    table.constraints.delete(subname);
    table.constraints.set(newname, { ...constraint, name: newname });
  } else if (renameType === 'OBJECT_INDEX') {
    const table = schema.tableOfIndex(written);
    const index = table?.indexes.get(written.name);
    if (!table || !index) return;
    table.indexes.delete(written.name);
    table.indexes.set(newname, { ...index, name: newname });
    schema.putTable(table);
  }
}

function move(schema: RunSchema, written: WrittenName, to: { schema?: string; name?: string }): void {
  const table = schema.table(written);
  if (!table) return;
  schema.dropTable(written);
  schema.putTable({ ...table, schema: to.schema ?? table.schema, name: to.name ?? table.name });
}

function createDomain(schema: RunSchema, tree: Of<'CreateDomainStmt'>): void {
  const { domainname, typeName, constraints = [] } = tree.CreateDomainStmt;
  const written = writtenName(namesOf(domainname));
  const base = columnType(typeName, schema);
  const below = schema.domain({ schema: base.schema, name: base.name });
  const isConstrained = constraints.some((one) => 'Constraint' in one && checksValues(one.Constraint));
  schema.putDomain({
    schema: schema.schemaOf(written),
    name: written.name,
    base,
    isConstrained: isConstrained || below?.isConstrained === true,
  });
}

function checksValues({ contype }: Constraint): boolean {
  return contype === 'CONSTR_CHECK' || contype === 'CONSTR_NOTNULL';
}

function alterDomain(schema: RunSchema, tree: Of<'AlterDomainStmt'>): void {
  const { typeName, subtype } = tree.AlterDomainStmt;
  const domain = schema.domain(writtenName(namesOf(typeName)));
  // C adds a constraint, O sets NOT NULL (alterdomain in gram.y).
  if (domain && (subtype === 'C' || subtype === 'O')) schema.putDomain({ ...domain, isConstrained: true });
}

function setLocal(schema: RunSchema, tree: Of<'VariableSetStmt'>): void {
  const { name, args = [] } = tree.VariableSetStmt;
  const values = args.flatMap((arg) =>
    'A_Const' in arg && 'sval' in arg.A_Const ? [arg.A_Const.sval?.sval ?? ''] : [],
  );
  if (name?.toLowerCase() === 'timezone') schema.timeZone = values[0];
  // pg_catalog is searched anyhow, and nothing is made in pg_temp by a name alone.
  const inPath = values.filter((value) => value !== 'pg_catalog' && value !== 'pg_temp');
  if (name?.toLowerCase() === 'search_path') schema.localPath = inPath.length > 0 ? inPath : undefined;
}

function createFunction(schema: RunSchema, tree: Of<'CreateFunctionStmt'>): void {
  const { funcname, options = [] } = tree.CreateFunctionStmt;
  const written = writtenName(namesOf(funcname));
  const said = options.find((option) => hasOption([option], 'volatility'));
  const word = said && 'DefElem' in said && said.DefElem.arg && 'String' in said.DefElem.arg ? said.DefElem.arg : null;
  const volatility =
    word?.String.sval === 'immutable' || word?.String.sval === 'stable' ? word.String.sval : 'volatile';
  schema.putFunction({ schema: schema.schemaOf(written), name: written.name, volatility, inlined: undefined });
}
