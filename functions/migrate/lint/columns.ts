// Rules on adding columns and changing them in place.
import type { ColumnDef } from 'libpg-query';
import { columnType, isSerial, showType } from './column-type.ts';
import { volatileCall } from './default-volatility.ts';
import type { LintContext, LintRule } from './lint-rule.ts';
import { type AlterCommand, columnOf, constraintsOfColumn, showName } from './statement-parts.ts';
import { isEmpty, sizeOf, unlessNew } from './table-size.ts';
import { typeChange } from './type-change.ts';

const REWRITES = 'copies the whole table, and rebuilds its indexes, while nobody can use it';
const UNTIL_COPIED = 'It holds ACCESS EXCLUSIVE until every row has been written again, and needs the space twice.';

export const columnRules: readonly LintRule[] = [
  {
    name: 'ban-required-column',
    severity: 'error',
    message: 'ADD COLUMN … NOT NULL without a default fails as soon as the table has one row',
    why: 'The rows that are there have no value for it; and programs that do not know the column yet can no longer insert.',
    instead: 'add it nullable, fill it in batches, then SET NOT NULL with the proof of a validated CHECK',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      addedColumns(context).flatMap(({ alter, column }) => {
        if (!isRequired(column) || isEmpty(context, alter.table)) return [];
        const { about } = sizeOf(context, alter.table);
        return [{ about: `column "${column.colname}" of ${about}` }];
      }),
  },
  {
    name: 'ban-volatile-default',
    severity: 'error',
    message: `ADD COLUMN with a volatile default ${REWRITES}`,
    why: `A default that is the same for all rows is stored once; one that differs must be written into each. ${UNTIL_COPIED}`,
    instead: 'add the column without a default, ALTER COLUMN … SET DEFAULT for new rows, fill the old ones in batches',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      addedColumns(context).flatMap(({ alter, column }) => {
        const given = constraintsOfColumn(column).find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
        const call = volatileCall(given, context.schema);
        if (!call) return [];
        const unsure = call.isSure ? '' : ', if it is volatile: the live catalog would tell';
        return unlessNew(context, alter.table, `${call.name}${unsure}, for column "${column.colname}" of `);
      }),
  },
  {
    name: 'ban-stored-generated-column',
    severity: 'error',
    message: `a stored generated column ${REWRITES}`,
    why: UNTIL_COPIED,
    instead:
      'a plain column that a trigger fills, and a backfill in batches; on PostgreSQL 18 a virtual generated column',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) => [
      ...addedColumns(context)
        .filter(({ column }) =>
          constraintsOfColumn(column).some((one) => one.contype === 'CONSTR_GENERATED' && one.generated_kind !== 'v'),
        )
        .flatMap(({ alter, column }) => unlessNew(context, alter.table, `"${column.colname}" of `)),
      ...context.alters
        .filter(({ subtype }) => subtype === 'AT_SetExpression')
        .flatMap((alter) => unlessNew(context, alter.table, `"${alter.command.name}" of `)),
    ],
  },
  {
    name: 'ban-serial-on-existing-table',
    severity: 'error',
    message: `a new serial or identity column ${REWRITES}`,
    why: `Each row gets its own number from the sequence. ${UNTIL_COPIED}`,
    instead: 'a plain bigint column, a backfill in batches, and the sequence or identity added afterwards',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      addedColumns(context)
        .filter(
          ({ column }) =>
            isSerial(column.typeName) ||
            constraintsOfColumn(column).some(({ contype }) => contype === 'CONSTR_IDENTITY'),
        )
        .flatMap(({ alter, column }) => unlessNew(context, alter.table, `"${column.colname}" of `)),
  },
  {
    name: 'ban-constrained-domain-column',
    severity: 'error',
    message: `ADD COLUMN of a domain with a CHECK or NOT NULL ${REWRITES}`,
    why: `Before PostgreSQL 19 the server evaluates the domain for every row by writing it again. ${UNTIL_COPIED}`,
    instead: 'a column of the base type, with a CHECK on the table that is NOT VALID first',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      addedColumns(context).flatMap(({ alter, column }) => {
        const type = columnType(column.typeName, context.schema);
        const isChecked = !type.isArray && context.schema.domain(type)?.isConstrained === true;
        if (!isChecked || (context.schema.catalog?.serverVersion ?? 0) >= DOMAINS_WITHOUT_REWRITE) return [];
        return unlessNew(context, alter.table, `"${column.colname}" (${showType(type)}) of `);
      }),
  },
  {
    name: 'ban-type-change-with-rewrite',
    severity: 'error',
    message: `this change of a column's type ${REWRITES}`,
    why: `The bytes of the old type are not those of the new one, or USING computes new values. ${UNTIL_COPIED}`,
    instead:
      'a new column of the new type, a trigger that keeps both, a backfill in batches, then the switch (expand and contract)',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      typeChanges(context).flatMap(({ alter, change }) => {
        if (change.rewrite === 'no') return [];
        const unsure = change.rewrite === 'unknown' ? ', if it needs that at all: the live catalog would tell' : '';
        return unlessNew(context, alter.table, `${describeChange(alter, change)}${unsure}, of `);
      }),
  },
  {
    name: 'ban-type-change-with-rebuild',
    severity: 'error',
    message:
      "this change of a column's type rebuilds indexes, or checks constraints on every row, while nobody can use the table",
    why: 'The rows stay as they are, but what depends on the column is made anew under ACCESS EXCLUSIVE.',
    instead:
      'drop the index or constraint first and make it again by CONCURRENTLY or NOT VALID, or expand and contract',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      typeChanges(context).flatMap(({ alter, change }) => {
        const names = [...change.rebuilds, ...change.rechecks];
        // A rewrite rebuilds them all: that finding is enough.
        if (change.rewrite !== 'no' || names.length === 0) return [];
        const size = sizeOf(context, alter.table);
        if (size.size === 'new' || size.size === 'small') return [];
        return [{ about: `${describeChange(alter, change)}, with ${names.join(', ')}, of ${size.about}` }];
      }),
  },
  {
    name: 'ban-drop-not-null',
    severity: 'warning',
    message: 'DROP NOT NULL lets programs meet a null that they were promised never to see',
    why: 'Programs that are running were written for a column that always has a value.',
    instead: 'deploy programs that take a null first, then drop it; say so in an allow line',
    decidedBy: 'files',
    alsoDown: false,
    check: (context) =>
      context.alters
        .filter(({ subtype }) => subtype === 'AT_DropNotNull')
        .flatMap((alter) =>
          sizeOf(context, alter.table).size === 'new'
            ? []
            : [{ about: `column "${alter.command.name}" of ${showName(alter.table)}` }],
        ),
  },
  {
    name: 'prefer-narrow-table',
    severity: 'warning',
    message: 'the table has many columns already',
    why: 'Every row that is read or updated carries all of them; updates copy the whole row. The limit is ours: 60, far above what one entity needs.',
    instead: 'a table of its own for what belongs together, with the same key',
    decidedBy: 'catalog',
    alsoDown: false,
    check: (context) =>
      addedColumns(context).flatMap(({ alter }) => {
        const columns = context.schema.table(alter.table)?.columns.size ?? 0;
        return columns >= MANY_COLUMNS ? [{ about: `${showName(alter.table)} has ${columns}` }] : [];
      }),
  },
];

/** The first version that scans instead: PostgreSQL 19, as its release notes say. */
const DOMAINS_WITHOUT_REWRITE = 190_000;
const MANY_COLUMNS = 60;

function addedColumns({ alters }: LintContext): { alter: AlterCommand; column: ColumnDef }[] {
  return alters.flatMap((alter) => {
    const column = alter.subtype === 'AT_AddColumn' ? columnOf(alter) : undefined;
    return column ? [{ alter, column }] : [];
  });
}

/** NOT NULL, and nothing that gives the old rows a value. */
function isRequired(column: ColumnDef): boolean {
  if (isSerial(column.typeName)) return false;
  const kinds = new Set(constraintsOfColumn(column).map(({ contype }) => contype));
  const isNotNull = kinds.has('CONSTR_NOTNULL') || kinds.has('CONSTR_PRIMARY');
  return (
    isNotNull && !['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].some((kind) => kinds.has(kind as never))
  );
}

type Change = ReturnType<typeof typeChange>;

function typeChanges({ alters, schema }: LintContext): { alter: AlterCommand; change: Change }[] {
  return alters.flatMap((alter) => {
    const column = alter.subtype === 'AT_AlterColumnType' ? columnOf(alter) : undefined;
    if (!column) return [];
    return [{ alter, change: typeChange(schema, schema.table(alter.table), alter.command.name ?? '', column) }];
  });
}

function describeChange({ command }: AlterCommand, { from, to }: Change): string {
  return `column "${command.name}"${from === undefined ? '' : ` from ${from}`} to ${to}`;
}
