// Reads names, commands and constraints out of the parser's tree, so that the rules do not have to know its shape.
import type { AlterTableCmd, ColumnDef, Constraint, Node, RangeVar, TypeName } from 'libpg-query';
import type { MigrationStatement } from '../../shared/migration-statements.ts';

/** A name as it is written; the schema is undefined when the search path decides. */
export interface WrittenName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** One command of an ALTER TABLE. */
export interface AlterCommand {
  readonly table: WrittenName;
  readonly subtype: NonNullable<AlterTableCmd['subtype']>;
  readonly command: AlterTableCmd;
}

/** The texts of a list of String nodes. */
export function namesOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []));
}

/** The last two parts of a dotted name. */
export function writtenName(parts: readonly string[]): WrittenName {
  return { schema: parts.at(-2), name: parts.at(-1) ?? '' };
}

export function nameOfRelation(relation: RangeVar | undefined): WrittenName {
  return { schema: relation?.schemaname, name: relation?.relname ?? '' };
}

/** As a person writes it, for messages. */
export function showName({ schema, name }: WrittenName): string {
  return schema === undefined ? `"${name}"` : `"${schema}.${name}"`;
}

/** The commands of ALTER TABLE (and of ALTER MATERIALIZED VIEW, which the parser makes the same statement). */
export function alterCommandsOf(tree: Node): AlterCommand[] {
  if (!('AlterTableStmt' in tree)) return [];
  const { relation, cmds = [], objtype } = tree.AlterTableStmt;
  if (objtype !== 'OBJECT_TABLE' && objtype !== 'OBJECT_MATVIEW') return [];
  return cmds.flatMap((node) => {
    if (!('AlterTableCmd' in node)) return [];
    const { subtype } = node.AlterTableCmd;
    if (subtype === undefined) return [];
    return [{ table: nameOfRelation(relation), subtype, command: node.AlterTableCmd }];
  });
}

/** The column that ADD COLUMN or ALTER COLUMN TYPE defines. */
export function columnOf({ command }: AlterCommand): ColumnDef | undefined {
  return command.def && 'ColumnDef' in command.def ? command.def.ColumnDef : undefined;
}

/** The constraint that ADD CONSTRAINT adds. */
export function constraintOf({ subtype, command }: AlterCommand): Constraint | undefined {
  if (subtype !== 'AT_AddConstraint' || !command.def || !('Constraint' in command.def)) return undefined;
  return command.def.Constraint;
}

/** The constraints that stand behind a column. */
export function constraintsOfColumn(column: ColumnDef | undefined): Constraint[] {
  return (column?.constraints ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint] : []));
}

/** Columns and constraints of CREATE TABLE; those behind a column come with its name. */
export function partsOfTable(tree: Node): { columns: ColumnDef[]; constraints: Constraint[] } {
  const columns: ColumnDef[] = [];
  const constraints: Constraint[] = [];
  if (!('CreateStmt' in tree)) return { columns, constraints };
  for (const element of tree.CreateStmt.tableElts ?? []) {
    if ('ColumnDef' in element) columns.push(element.ColumnDef);
    else if ('Constraint' in element) constraints.push(element.Constraint);
  }
  return { columns, constraints };
}

/** The names of the objects of a DROP. */
export function droppedNames(tree: Node): WrittenName[] {
  if (!('DropStmt' in tree)) return [];
  return (tree.DropStmt.objects ?? []).map((object) => {
    if ('List' in object) return writtenName(namesOf(object.List.items));
    if ('TypeName' in object) return writtenName(namesOf(object.TypeName.names));
    if ('ObjectWithArgs' in object) return writtenName(namesOf(object.ObjectWithArgs.objname));
    return { schema: undefined, name: 'String' in object ? (object.String.sval ?? '') : '' };
  });
}

/** The columns of an index; an expression is an empty text. */
export function indexColumns(params: readonly Node[] | undefined): string[] {
  return (params ?? []).map((param) => ('IndexElem' in param ? (param.IndexElem.name ?? '') : ''));
}

/** `a` of a type name that a user could write: `varchar`, `app.price`. */
export function nameOfType(type: TypeName | undefined): WrittenName {
  return writtenName(namesOf(type?.names));
}

/** Every ColumnRef, FuncCall and so on below a node, depth first; for expressions, which are small. */
export function* nodesBelow(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesBelow(item);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (/^[A-Z]/.test(key)) yield { [key]: inner } as unknown as Node;
    yield* nodesBelow(inner);
  }
}

/** The columns that an expression names. */
export function columnsIn(expression: unknown): string[] {
  const found: string[] = [];
  for (const node of nodesBelow(expression)) {
    if (!('ColumnRef' in node)) continue;
    const name = namesOf(node.ColumnRef.fields).at(-1);
    if (name !== undefined) found.push(name);
  }
  return [...new Set(found)];
}

/** Whether a statement has that option: `full` of VACUUM. */
export function hasOption(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some((option) => 'DefElem' in option && option.DefElem.defname === name);
}

/** The body of a DO block, or of a function in a string; empty for others. */
export function bodyOf({ tree }: Pick<MigrationStatement, 'tree'>): string {
  if (!('DoStmt' in tree)) return '';
  for (const argument of tree.DoStmt.args ?? []) {
    if (!('DefElem' in argument) || argument.DefElem.defname !== 'as') continue;
    const { arg } = argument.DefElem;
    if (arg && 'String' in arg) return arg.String.sval ?? '';
  }
  return '';
}
