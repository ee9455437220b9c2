// Rules on constraints of tables: how to add them without stopping those who use the table.
import type { Constraint } from 'libpg-query';
import { isSerial } from './column-type.ts';
import type { Found, LintContext, LintRule } from './lint-rule.ts';
import {
  type AlterCommand,
  columnOf,
  constraintOf,
  constraintsOfColumn,
  nameOfRelation,
  namesOf,
} from './statement-parts.ts';
import { unlessSmall } from './table-size.ts';

export const constraintRules: readonly LintRule[] = [
  {
    name: 'require-foreign-key-not-valid',
    severity: 'error',
    message: 'a foreign key without NOT VALID checks every row while writes to both tables wait',
    why: 'It holds SHARE ROW EXCLUSIVE on the child and on the parent until each row of the child has been looked up.',
    instead: 'ADD CONSTRAINT … NOT VALID, then ALTER TABLE … VALIDATE CONSTRAINT as a statement of its own',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const added = addedConstraints(context, 'CONSTR_FOREIGN');
      const isRead = ({ column, isFilled }: Added) => column === undefined || isFilled;
      // The server passes over the rows when all that the statement adds is keys of new columns that are null everywhere.
      return added.some(isRead) ? added.flatMap((one) => checkedAtOnce(context, one)) : [];
    },
  },
  {
    name: 'require-check-not-valid',
    severity: 'error',
    message: 'a CHECK without NOT VALID reads every row while nobody can use the table',
    why: 'ADD CONSTRAINT … CHECK holds ACCESS EXCLUSIVE during the scan.',
    instead: 'ADD CONSTRAINT … NOT VALID, then ALTER TABLE … VALIDATE CONSTRAINT as a statement of its own',
    decidedBy: 'catalog',
    alsoDown: true,
    // Behind a new column without a value of its own it is checked on nulls: still every row.
    check: (context) => addedConstraints(context, 'CONSTR_CHECK').flatMap((one) => checkedAtOnce(context, one)),
  },
  {
    name: 'require-separate-validation',
    severity: 'error',
    message: 'VALIDATE CONSTRAINT together with other commands keeps their stronger lock through its scan',
    why: 'Alone it lets reads and writes go on. In one ALTER TABLE with others it runs in their transaction, under the strongest lock of them all.',
    instead: 'an ALTER TABLE of its own with nothing but VALIDATE CONSTRAINT; migrate runs it as a unit of its own',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      const { alters } = context;
      const validation = alters.find(({ subtype }) => subtype === 'AT_ValidateConstraint');
      if (!validation || alters.length < 2) return [];
      return unlessSmall(context, validation.table, `"${validation.command.name ?? ''}" on `);
    },
  },
  {
    name: 'require-not-null-proof',
    severity: 'error',
    message: 'SET NOT NULL reads every row while nobody can use the table',
    why: 'It holds ACCESS EXCLUSIVE during the scan, unless a validated CHECK (column IS NOT NULL) proves it already.',
    instead:
      'ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT, then SET NOT NULL, then drop the check; on PostgreSQL 18: ADD CONSTRAINT … NOT NULL column NOT VALID, then VALIDATE',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      context.alters.flatMap((alter) =>
        columnsToProve(context, alter)
          .filter((column) => !isProven(context, alter, column))
          .flatMap((column) => unlessSmall(context, alter.table, `column "${column}" of `)),
      ),
  },
  {
    name: 'require-unique-using-index',
    severity: 'error',
    message: 'a UNIQUE constraint builds its index while nobody can use the table',
    why: 'ALTER TABLE … ADD UNIQUE holds ACCESS EXCLUSIVE until the index is built.',
    instead: 'CREATE UNIQUE INDEX CONCURRENTLY, then ALTER TABLE … ADD CONSTRAINT … UNIQUE USING INDEX',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) => addedConstraints(context, 'CONSTR_UNIQUE').flatMap((one) => builtAtOnce(context, one)),
  },
  {
    name: 'require-primary-key-using-index',
    severity: 'error',
    message: 'a PRIMARY KEY builds its index, and sets its columns NOT NULL, while nobody can use the table',
    why: 'ALTER TABLE … ADD PRIMARY KEY holds ACCESS EXCLUSIVE until the index is built and every row was read for nulls.',
    instead:
      'CREATE UNIQUE INDEX CONCURRENTLY, prove the columns NOT NULL by a validated CHECK, then ADD CONSTRAINT … PRIMARY KEY USING INDEX',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) => addedConstraints(context, 'CONSTR_PRIMARY').flatMap((one) => builtAtOnce(context, one)),
  },
  {
    name: 'ban-exclusion-on-existing-table',
    severity: 'error',
    message: 'an EXCLUDE constraint builds its index while nobody can use the table, and has no other way',
    why: 'ACCESS EXCLUSIVE is held during the build. It can neither be NOT VALID nor use an index that was built concurrently.',
    instead: 'make it on a new table and move the rows in batches, or check it in a trigger',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) => addedConstraints(context, 'CONSTR_EXCLUSION').flatMap((one) => builtAtOnce(context, one)),
  },
  {
    name: 'require-check-before-attach',
    severity: 'error',
    message: 'ATTACH PARTITION reads every row of the new partition under ACCESS EXCLUSIVE',
    why: 'The server must prove that each row fits the bounds; a validated CHECK that implies them is believed instead.',
    instead: 'add a CHECK with the bounds of the partition NOT VALID, VALIDATE it, attach, then drop the check',
    decidedBy: 'catalog',
    alsoDown: true,
    check: (context) =>
      context.alters.flatMap(({ subtype, command: { def } }) => {
        if (subtype !== 'AT_AttachPartition' || !def || !('PartitionCmd' in def)) return [];
        const partition = nameOfRelation(def.PartitionCmd.name);
        const known = [...(context.schema.table(partition)?.constraints.values() ?? [])];
        // Whether it implies the bounds is for the server to say; that there is one shows that somebody thought of it.
        return known.some(({ kind, isValid }) => kind === 'check' && isValid) ? [] : unlessSmall(context, partition);
      }),
  },
];

/** What gives the old rows a value in a new column. */
const FILLS: ReadonlySet<string> = new Set(['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED']);

interface Added {
  readonly alter: AlterCommand;
  readonly constraint: Constraint;
  /** The new column behind which it stands. */
  readonly column: string | undefined;
  /** Old rows get a value in that column. */
  readonly isFilled: boolean;
}

/** The constraints of that kind that an ALTER TABLE adds, by itself or behind a new column. */
function addedConstraints({ alters }: LintContext, kind: NonNullable<Constraint['contype']>): Added[] {
  return alters.flatMap((alter): Added[] => {
    const own = constraintOf(alter);
    if (own) return own.contype === kind ? [{ alter, constraint: own, column: undefined, isFilled: false }] : [];
    if (alter.subtype !== 'AT_AddColumn') return [];
    const column = columnOf(alter);
    const all = constraintsOfColumn(column);
    const isFilled =
      isSerial(column?.typeName) || all.some(({ contype }) => contype !== undefined && FILLS.has(contype));
    return all
      .filter(({ contype }) => contype === kind)
      .map((constraint) => ({ alter, constraint, column: column?.colname, isFilled }));
  });
}

function checkedAtOnce(context: LintContext, { alter, constraint, column }: Added): Found[] {
  if (constraint.skip_validation === true) return [];
  // PostgreSQL 18: NOT ENFORCED checks nothing.
  if (constraint.is_enforced !== true) return [];
  const name = constraint.conname ?? column;
  return unlessSmall(context, alter.table, `${name === undefined ? '' : `"${name}" `}on `);
}

function builtAtOnce(context: LintContext, { alter, constraint, column }: Added): Found[] {
  if (constraint.indexname !== undefined) return [];
  const name = constraint.conname ?? column;
  return unlessSmall(context, alter.table, `${name === undefined ? '' : `"${name}" `}on `);
}

/** Columns that the command sets NOT NULL and that have rows already. */
function columnsToProve({ schema }: LintContext, alter: AlterCommand): string[] {
  if (alter.subtype === 'AT_SetNotNull') return [alter.command.name ?? ''];
  const constraint = constraintOf(alter);
  if (constraint?.contype === 'CONSTR_NOTNULL' && constraint.skip_validation !== true) return namesOf(constraint.keys);
  if (constraint?.contype !== 'CONSTR_PRIMARY' || constraint.indexname === undefined) return [];
  const index = schema.table(alter.table)?.indexes.get(constraint.indexname);
  return [...(index?.columns ?? [])];
}

function isProven({ schema }: LintContext, alter: AlterCommand, column: string): boolean {
  const table = schema.table(alter.table);
  if (table?.columns.get(column)?.notNull === true) return true;
  return [...(table?.constraints.values() ?? [])].some(
    ({ isValid, provesNotNull }) => isValid && provesNotNull.includes(column),
  );
}
