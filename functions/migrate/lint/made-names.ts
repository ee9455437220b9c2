// The names that a statement makes, for the convention, and the first that it writes without a schema.
import type { Constraint, Node, RangeVar } from 'libpg-query';
import {
  type AlterCommand,
  columnOf,
  constraintOf,
  droppedNames,
  nameOfRelation,
  namesOf,
  partsOfTable,
  type WrittenName,
  writtenName,
} from './statement-parts.ts';

export interface MadeName {
  readonly kind: string;
  /** Undefined: it should have one. */
  readonly name: string | undefined;
  /** For what carries the name of its table. */
  readonly table?: string;
}

/** Everything that the statement gives a name. */
export function madeNames(tree: Node, alters: readonly AlterCommand[]): MadeName[] {
  if ('CreateStmt' in tree) {
    const table = tree.CreateStmt.relation?.relname ?? '';
    const { columns, constraints } = partsOfTable(tree);
    return [
      { kind: 'table', name: table },
      ...columns.map((column): MadeName => ({ kind: 'column', name: column.colname })),
      // Those of a new table without a name get one from the server that has the table in it.
      ...constraints.flatMap((one) => (one.conname === undefined ? [] : [constraintName(one, table)])),
    ];
  }
  if ('IndexStmt' in tree) {
    const { idxname, relation } = tree.IndexStmt;
    return [{ kind: 'index', name: idxname, table: relation?.relname ?? '' }];
  }
  if ('RenameStmt' in tree) return [{ kind: 'new name', name: tree.RenameStmt.newname ?? '' }];
  if (alters.length > 0) {
    return alters.flatMap((alter): MadeName[] => {
      const constraint = constraintOf(alter);
      if (constraint) return constraint.contype === undefined ? [] : [constraintName(constraint, alter.table.name)];
      return alter.subtype === 'AT_AddColumn' ? [{ kind: 'column', name: columnOf(alter)?.colname }] : [];
    });
  }
  const made = madeObject(tree);
  if (made) return [{ kind: 'object', name: made.name }];
  if ('CreateSchemaStmt' in tree) return [{ kind: 'schema', name: tree.CreateSchemaStmt.schemaname ?? '' }];
  if ('CreateTrigStmt' in tree) return [{ kind: 'trigger', name: tree.CreateTrigStmt.trigname ?? '' }];
  return 'CreatePolicyStmt' in tree ? [{ kind: 'policy', name: tree.CreatePolicyStmt.policy_name ?? '' }] : [];
}

function constraintName({ conname, indexname, contype }: Constraint, table: string): MadeName {
  // PRIMARY KEY USING INDEX takes the name of the index.
  if (contype === 'CONSTR_NOTNULL' && conname === undefined) return { kind: 'constraint', name: table, table };
  return { kind: 'constraint', name: conname ?? indexname, table };
}

/** The object that a CREATE makes in a schema, other than tables and indexes. */
function madeObject(tree: Node): WrittenName | undefined {
  if ('ViewStmt' in tree) return nameOfRelation(tree.ViewStmt.view);
  if ('CreateSeqStmt' in tree) return nameOfRelation(tree.CreateSeqStmt.sequence);
  if ('CreateTableAsStmt' in tree) return nameOfRelation(tree.CreateTableAsStmt.into?.rel);
  if ('CreateFunctionStmt' in tree) return writtenName(namesOf(tree.CreateFunctionStmt.funcname));
  if ('CreateEnumStmt' in tree) return writtenName(namesOf(tree.CreateEnumStmt.typeName));
  if ('CreateDomainStmt' in tree) return writtenName(namesOf(tree.CreateDomainStmt.domainname));
  if ('CompositeTypeStmt' in tree) return nameOfRelation(tree.CompositeTypeStmt.typevar);
  return undefined;
}

/** The first object of the statement whose schema is left to the search path. */
export function unqualifiedName(tree: Node): string | undefined {
  const found = namesInSchemas(tree).find(({ schema }) => schema === undefined);
  return found?.name;
}

function namesInSchemas(tree: Node): WrittenName[] {
  const made = madeObject(tree);
  if (made) return 'CreateTableAsStmt' in tree ? ofRelation(tree.CreateTableAsStmt.into?.rel) : [made];
  if ('DropStmt' in tree) {
    const { removeType } = tree.DropStmt;
    return removeType !== undefined && IN_A_SCHEMA.has(removeType) ? droppedNames(tree) : [];
  }
  if ('RenameStmt' in tree) return ofRelation(tree.RenameStmt.relation);
  if ('CreateStmt' in tree)
    return [...ofRelation(tree.CreateStmt.relation), ...targetsOf(partsOfTable(tree).constraints)];
  if ('AlterTableStmt' in tree) return ofRelation(tree.AlterTableStmt.relation);
  if ('IndexStmt' in tree) return ofRelation(tree.IndexStmt.relation);
  if ('InsertStmt' in tree) return ofRelation(tree.InsertStmt.relation);
  if ('UpdateStmt' in tree) return ofRelation(tree.UpdateStmt.relation);
  if ('DeleteStmt' in tree) return ofRelation(tree.DeleteStmt.relation);
  if ('AlterEnumStmt' in tree) return [writtenName(namesOf(tree.AlterEnumStmt.typeName))];
  if ('AlterDomainStmt' in tree) return [writtenName(namesOf(tree.AlterDomainStmt.typeName))];
  if ('CreateTrigStmt' in tree) return ofRelation(tree.CreateTrigStmt.relation);
  if ('RefreshMatViewStmt' in tree) return ofRelation(tree.RefreshMatViewStmt.relation);
  if (!('TruncateStmt' in tree)) return [];
  return (tree.TruncateStmt.relations ?? []).flatMap((one) => ('RangeVar' in one ? ofRelation(one.RangeVar) : []));
}

const IN_A_SCHEMA: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_INDEX',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
]);

/** None for a temporary table, whose schema is the session's own. */
function ofRelation(relation: RangeVar | undefined): WrittenName[] {
  return relation === undefined || relation.relpersistence === 't' ? [] : [nameOfRelation(relation)];
}

function targetsOf(constraints: readonly Constraint[]): WrittenName[] {
  return constraints.flatMap(({ pktable }) => ofRelation(pktable));
}
