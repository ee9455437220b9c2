// Rules on how long a file holds its locks, and on the limits that migrate sets for that.
import type { Node } from 'libpg-query';
import type { LintContext, LintRule } from './lint-rule.ts';
import { worksOnRows } from './rows.ts';
import {
  type AlterCommand,
  alterCommandsOf,
  droppedNames,
  nameOfRelation,
  showName,
  type WrittenName,
} from './statement-parts.ts';
import { sizeOf } from './table-size.ts';
import { timeoutSetBy } from './timeout-setting.ts';

export const lockRules: readonly LintRule[] = [
  {
    name: 'ban-work-under-exclusive-lock',
    severity: 'error',
    message: 'this works through rows while an earlier statement of the same transaction keeps everybody from a table',
    why: 'A lock is held until the transaction ends: what took a millisecond alone now stops the table for as long as the rest takes.',
    instead: 'move the work into a migration of its own, or in batches (header "batch by"), which commit by themselves',
    decidedBy: 'catalog',
    alsoDown: true,
    check(context) {
      if (context.unit.kind !== 'transaction' || !worksOnRows(context)) return [];
      for (const earlier of context.script.before(context.statement)) {
        const locked = exclusivelyLocked(earlier.tree).find((name) => isInUse(context, name));
        if (locked) return [{ about: `${showName(locked)}, locked in line ${earlier.line}` }];
      }
      return [];
    },
  },
  {
    name: 'prefer-combined-alters',
    severity: 'warning',
    message: 'one ALTER TABLE can do what several do to the same table',
    why: 'Each waits for its turn and keeps the lock; two that read the table read it twice.',
    instead: 'one ALTER TABLE with all commands, parted by commas',
    decidedBy: 'catalog',
    alsoDown: false,
    check(context) {
      const table = context.alters[0]?.table;
      if (!table || context.unit.kind !== 'transaction' || !isInUse(context, table)) return [];
      const isAlone = ({ subtype }: AlterCommand) => ALONE.has(subtype);
      const key = keyOf(context, table);
      const before = context.script.before(context.statement);
      // Only what stands together: what is in between may need the first and be needed by the second.
      let at = before.length - 1;
      const commandsAt = (index: number) => {
        const statement = before[index];
        return statement ? alterCommandsOf(statement.tree) : [];
      };
      while (at >= 0 && commandsAt(at).every((one) => keyOf(context, one.table) !== key)) {
        if (commandsAt(at).length === 0) return [];
        at -= 1;
      }
      const earlier = before[at];
      if (context.alters.some(isAlone) || commandsAt(at).some(isAlone)) return [];
      if (!earlier || sizeOf(context, table).size === 'small') return [];
      return [{ about: `${showName(table)}, altered in line ${earlier.line} already` }];
    },
  },
  {
    name: 'ban-timeout-change',
    severity: 'warning',
    message: 'the file changes a time limit that migrate sets',
    why: 'migrate limits how long a statement waits for a lock, so that a waiting ALTER does not stop every reader behind it, and tries again later. A higher or no limit undoes that.',
    instead: 'leave it out; for a long statement the header "-- nightshift: statement timeout <n> s"',
    decidedBy: 'file',
    alsoDown: true,
    check({ tree }) {
      const name = timeoutSetBy(tree);
      return name === undefined ? [] : [{ about: name }];
    },
  },
];

/** Commands that cannot be combined with others. */
const ALONE: ReadonlySet<string> = new Set(['AT_AttachPartition', 'AT_DetachPartition']);

/** Commands of ALTER TABLE that leave readers and writers alone, or at least readers (AlterTableGetLockLevel). */
const WEAKER: ReadonlySet<string> = new Set([
  'AT_ValidateConstraint',
  'AT_SetStatistics',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_AttachPartition',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
]);

/** Tables on which a statement takes ACCESS EXCLUSIVE. */
function exclusivelyLocked(tree: Node): WrittenName[] {
  const alters = alterCommandsOf(tree).filter(({ subtype, command: { def } }) => {
    const isForeignKey =
      subtype === 'AT_AddConstraint' && def && 'Constraint' in def && def.Constraint.contype === 'CONSTR_FOREIGN';
    return !WEAKER.has(subtype) && isForeignKey !== true;
  });
  if (alters.length > 0) return alters.map(({ table }) => table);
  if (
    'RenameStmt' in tree &&
    (tree.RenameStmt.renameType === 'OBJECT_TABLE' || tree.RenameStmt.renameType === 'OBJECT_COLUMN')
  ) {
    return [nameOfRelation(tree.RenameStmt.relation)];
  }
  if ('TruncateStmt' in tree) {
    return (tree.TruncateStmt.relations ?? []).flatMap((one) =>
      'RangeVar' in one ? [nameOfRelation(one.RangeVar)] : [],
    );
  }
  return 'DropStmt' in tree && tree.DropStmt.removeType === 'OBJECT_TABLE' ? droppedNames(tree) : [];
}

function isInUse(context: LintContext, name: WrittenName): boolean {
  return sizeOf(context, name).size !== 'new';
}

function keyOf({ schema }: LintContext, name: WrittenName): string {
  return `${schema.schemaOf(name)}.${name.name}`;
}
