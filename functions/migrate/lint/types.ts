// Rules on types: those that cannot be changed back, and those that cost later.
import type { ColumnDef } from 'libpg-query';
import { isSerial } from './column-type.ts';
import type { LintContext, LintRule } from './lint-rule.ts';
import {
  columnOf,
  constraintsOfColumn,
  nameOfType,
  namesOf,
  partsOfTable,
  showName,
  writtenName,
} from './statement-parts.ts';
import { SMALL_TABLE } from './table-size.ts';

export const typeRules: readonly LintRule[] = [
  {
    name: 'require-enum-value-position',
    severity: 'warning',
    message: 'ADD VALUE without BEFORE or AFTER puts the label last, and its place decides how values sort',
    why: 'Labels cannot be moved afterwards: ORDER BY and < would be wrong for good.',
    instead: 'ALTER TYPE … ADD VALUE … AFTER …, also where it is the last',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      if (!('AlterEnumStmt' in tree)) return [];
      const { oldVal, newVal, newValNeighbor, typeName } = tree.AlterEnumStmt;
      if (oldVal !== undefined || newValNeighbor !== undefined) return [];
      return [{ about: `"${newVal}" of ${showName(writtenName(namesOf(typeName)))}` }];
    },
  },
  {
    name: 'require-irreversible-mark',
    severity: 'error',
    message: 'a label of an enum cannot be removed, so that the down script cannot revert this',
    why: 'There is no DROP VALUE. A down script that says nothing leaves another schema than the one before.',
    instead:
      'mark the down file "-- nightshift: irreversible because …", build the type anew in it, or use a table of allowed values',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree, script }) {
      if (!('AlterEnumStmt' in tree) || tree.AlterEnumStmt.oldVal !== undefined) return [];
      if (script.isIrreversible || script.otherMakesEnum) return [];
      const { newVal, typeName } = tree.AlterEnumStmt;
      return [{ about: `"${newVal}" of ${showName(writtenName(namesOf(typeName)))}` }];
    },
  },
  {
    name: 'ban-rename-enum-value',
    severity: 'error',
    message: 'a renamed label is gone for programs that write or compare the old one',
    why: 'All rows change at once, and the programs that are running do not.',
    instead: 'add the new label, move rows in batches, and stop using the old one',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      if (!('AlterEnumStmt' in tree) || tree.AlterEnumStmt.oldVal === undefined) return [];
      const { oldVal, typeName } = tree.AlterEnumStmt;
      return [{ about: `"${oldVal}" of ${showName(writtenName(namesOf(typeName)))}` }];
    },
  },
  {
    name: 'prefer-check-over-domain',
    severity: 'warning',
    message: 'a domain with a CHECK or NOT NULL is expensive to change and makes ADD COLUMN rewrite tables',
    why: 'A later constraint reads every table that uses it, all under lock; a new column of it copies the table before PostgreSQL 19.',
    instead: 'a plain type, with a CHECK on each table',
    decidedBy: 'file',
    alsoDown: false,
    check({ tree }) {
      if (!('CreateDomainStmt' in tree)) return [];
      const { constraints = [], domainname } = tree.CreateDomainStmt;
      const checks = constraints.some(
        (one) =>
          'Constraint' in one &&
          (one.Constraint.contype === 'CONSTR_CHECK' || one.Constraint.contype === 'CONSTR_NOTNULL'),
      );
      return checks ? [{ about: showName(writtenName(namesOf(domainname))) }] : [];
    },
  },
  {
    name: 'require-domain-check-not-valid',
    severity: 'error',
    message: 'a new constraint of a domain reads every table with a column of it, all under lock',
    why: 'ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL hold a SHARE lock on each of them until all are read.',
    instead:
      'ADD CONSTRAINT … NOT VALID, then ALTER DOMAIN … VALIDATE CONSTRAINT in a later migration; instead of NOT NULL such a CHECK (VALUE IS NOT NULL)',
    decidedBy: 'catalog',
    alsoDown: true,
    check({ tree, schema }) {
      if (!('AlterDomainStmt' in tree)) return [];
      const { subtype, typeName, def } = tree.AlterDomainStmt;
      // C adds a constraint, O sets NOT NULL (alterdomain in gram.y).
      if (subtype !== 'O' && subtype !== 'C') return [];
      if (def && 'Constraint' in def && def.Constraint.skip_validation === true) return [];
      const name = writtenName(namesOf(typeName));
      if (schema.catalog === null) return [{ about: `${showName(name)}; the live catalog would tell which tables` }];
      const domain = schema.domain(name);
      const users = [...schema.tables()].filter(
        (table) =>
          table.madeBy === undefined &&
          (table.bytes ?? 0) >= SMALL_TABLE.bytes &&
          [...table.columns.values()].some(({ type }) => type.schema === domain?.schema && type.name === domain.name),
      );
      if (users.length === 0) return [];
      return [{ about: `${showName(name)}, which ${users.map(showName).join(', ')} use` }];
    },
  },
  {
    name: 'ban-char',
    severity: 'warning',
    message: 'char(n) pads with blanks, and compares without them',
    why: 'It takes more space than text, is not faster, and surprises in LIKE and in concatenation.',
    instead: 'text, with a CHECK on the length where it matters',
    decidedBy: 'file',
    alsoDown: false,
    check: (context) => ofType(context, (column, type) => type === 'bpchar' && column.typeName !== undefined),
  },
  {
    name: 'prefer-text-over-varchar',
    severity: 'warning',
    message:
      'the limit of varchar(n) can be raised in place, but lowered only by a rewrite, and views that use the column stand in the way',
    why: 'Text is as fast; a CHECK can be added NOT VALID, validated and replaced without ACCESS EXCLUSIVE for long.',
    instead: 'text with CHECK (length(column) <= n)',
    decidedBy: 'file',
    alsoDown: false,
    check: (context) =>
      ofType(context, (column, type) => type === 'varchar' && (column.typeName?.typmods ?? []).length > 0),
  },
  {
    name: 'prefer-bigint-key',
    severity: 'warning',
    message: 'a key of integer or smallint ends at 2,147,483,647 or 32,767',
    why: 'The change to bigint rewrites the table, and each that refers to it, on the worst day. 4 bytes are no saving beside that.',
    instead: 'bigint for primary keys, for columns that refer to them, and for serial or identity columns',
    decidedBy: 'file',
    alsoDown: false,
    check(context) {
      const keys = keyColumns(context);
      return ofType(
        context,
        (column, type) =>
          SHORT_INTEGERS.has(type) &&
          (isSerial(column.typeName) ||
            keys.has(column.colname ?? '') ||
            constraintsOfColumn(column).some(({ contype }) => contype !== undefined && KEY_KINDS.has(contype))),
      );
    },
  },
  {
    name: 'prefer-identity-over-serial',
    severity: 'warning',
    message: 'serial makes a sequence with rights, an owner and a default of its own',
    why: 'A program can write past it without being noticed, and needs USAGE on the sequence beside INSERT on the table.',
    instead: 'bigint GENERATED ALWAYS AS IDENTITY',
    decidedBy: 'file',
    alsoDown: false,
    check: (context) => ofType(context, (column) => isSerial(column.typeName)),
  },
  {
    name: 'prefer-timestamptz',
    severity: 'warning',
    message: 'timestamp without time zone means another instant to each reader',
    why: 'It drops the offset of what is stored; the change to timestamptz rewrites the table unless the time zone is UTC.',
    instead: 'timestamptz, which takes the same 8 bytes',
    decidedBy: 'file',
    alsoDown: false,
    check: (context) => ofType(context, (_, type) => type === 'timestamp'),
  },
  {
    name: 'prefer-jsonb',
    severity: 'warning',
    message: 'json has no equality: SELECT DISTINCT, GROUP BY and UNION on the table fail',
    why: 'It keeps the text as it came, and is parsed anew by each query.',
    instead: 'jsonb, unless the order of keys and the blanks must be kept',
    decidedBy: 'file',
    alsoDown: false,
    check: (context) => ofType(context, (_, type) => type === 'json'),
  },
];

const SHORT_INTEGERS: ReadonlySet<string> = new Set([
  'int4',
  'int2',
  'int',
  'integer',
  'smallint',
  'serial',
  'serial4',
  'smallserial',
  'serial2',
]);
const KEY_KINDS: ReadonlySet<string> = new Set(['CONSTR_PRIMARY', 'CONSTR_FOREIGN', 'CONSTR_IDENTITY']);

/** The columns that a statement makes, or gives another type. */
function columnsOf({ tree, alters }: LintContext): { column: ColumnDef; name: string }[] {
  const added = alters.flatMap((alter) => {
    const column = columnOf(alter);
    return column ? [{ column, name: column.colname ?? alter.command.name ?? '' }] : [];
  });
  return [...added, ...partsOfTable(tree).columns.map((column) => ({ column, name: column.colname ?? '' }))];
}

function ofType(context: LintContext, isMeant: (column: ColumnDef, type: string) => boolean) {
  return columnsOf(context)
    .filter(({ column }) => isMeant(column, nameOfType(column.typeName).name))
    .map(({ name }) => ({ about: `column "${name}"` }));
}

/** Columns that the statement itself makes part of a primary or foreign key. */
function keyColumns({ tree, foreignKeys }: LintContext): ReadonlySet<string> {
  const primary = partsOfTable(tree).constraints.filter(({ contype }) => contype === 'CONSTR_PRIMARY');
  return new Set([...primary.flatMap(({ keys }) => namesOf(keys)), ...foreignKeys.flatMap(({ columns }) => columns)]);
}
