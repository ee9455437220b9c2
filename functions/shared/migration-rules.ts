// What a migration file may not contain, decided on the parser's tree, before anything is run.
import { JobFailure } from './job-failure.ts';
import type { MigrationStatement } from './migration-statements.ts';

interface Refusal {
  because: string;
  instead: string;
}

/** Throws `migrate.files_wrong` for the first statement that cannot run in the transaction of its file, or would end it. */
export function checkMigrationRules(file: string, statements: readonly MigrationStatement[]): void {
  for (const statement of statements) {
    const refusal = refusalOf(statement);
    if (!refusal) continue;
    throw new JobFailure({
      code: 'migrate.files_wrong',
      problem: `${file}:${statement.line}:${statement.column}: "${statement.firstLine}" ${refusal.because}`,
      safeState: 'No migration was run',
      hint: refusal.instead,
    });
  }
}

const OUTSIDE = 'cannot run in a transaction, and this version runs every file in one';
const runByHand = (how: string) => `${how}, by hand or from your own tool, in a session without BEGIN`;

/** Why a statement is refused, or undefined when it may run. */
export function refusalOf(statement: Pick<MigrationStatement, 'tree'>): Refusal | undefined {
  const tree = statement.tree;
  if ('TransactionStmt' in tree) {
    return {
      because:
        'controls the transaction, but the transaction belongs to migrate: it also holds the record of this file',
      instead: 'remove BEGIN, COMMIT, ROLLBACK and SAVEPOINT; each file is one transaction',
    };
  }
  if ('VariableSetStmt' in tree && tree.VariableSetStmt.is_local !== true) {
    return {
      because: 'changes a setting for the session and would leak into the next file',
      instead: 'write SET LOCAL, which ends with the file',
    };
  }
  if ('CopyStmt' in tree && !tree.CopyStmt.filename && tree.CopyStmt.is_program !== true) {
    return {
      because: 'is a COPY from or to the client, and there is no client that sends or takes rows',
      instead: 'write INSERT … VALUES or INSERT … SELECT',
    };
  }
  if ('IndexStmt' in tree && tree.IndexStmt.concurrent === true) {
    return {
      because: OUTSIDE,
      instead: `on a new or small table leave CONCURRENTLY out; on a large one build the index first (${runByHand('CREATE INDEX CONCURRENTLY')}), then let the file say CREATE INDEX IF NOT EXISTS`,
    };
  }
  if ('DropStmt' in tree && tree.DropStmt.concurrent === true) {
    return {
      because: OUTSIDE,
      instead: `DROP INDEX in the file takes a short lock; else drop it ${runByHand('first')}, and let the file say DROP INDEX IF EXISTS`,
    };
  }
  if ('ReindexStmt' in tree && !reindexFits(tree.ReindexStmt))
    return { because: OUTSIDE, instead: runByHand('rebuild it') };
  if ('AlterTableStmt' in tree && detachesConcurrently(tree.AlterTableStmt)) {
    return { because: OUTSIDE, instead: runByHand('detach the partition') };
  }
  if ('VacuumStmt' in tree && tree.VacuumStmt.is_vacuumcmd === true) {
    return {
      because: OUTSIDE,
      instead: `ANALYZE is allowed; VACUUM is autovacuum's business, or ${runByHand('run it')}`,
    };
  }
  if ('ClusterStmt' in tree && !tree.ClusterStmt.relation) {
    return { because: OUTSIDE, instead: 'name the table: CLUSTER t USING i' };
  }
  if (Object.keys(tree).some((kind) => NEVER_IN_A_TRANSACTION.has(kind))) {
    return { because: OUTSIDE, instead: runByHand('run it') };
  }
  return undefined;
}

const NEVER_IN_A_TRANSACTION: ReadonlySet<string> = new Set([
  'CreatedbStmt',
  'DropdbStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
  'AlterSystemStmt',
  'CreateSubscriptionStmt',
  'DropSubscriptionStmt',
]);

function reindexFits(reindex: {
  kind?: string | undefined;
  params?: readonly MigrationStatement['tree'][] | undefined;
}): boolean {
  const wholesale = ['REINDEX_OBJECT_SCHEMA', 'REINDEX_OBJECT_SYSTEM', 'REINDEX_OBJECT_DATABASE'];
  if (reindex.kind && wholesale.includes(reindex.kind)) return false;
  return !(reindex.params ?? []).some((param) => 'DefElem' in param && param.DefElem.defname === 'concurrently');
}

function detachesConcurrently(alter: { cmds?: readonly MigrationStatement['tree'][] | undefined }): boolean {
  return (alter.cmds ?? []).some((command) => {
    if (!('AlterTableCmd' in command)) return false;
    const { subtype, def } = command.AlterTableCmd;
    if (subtype !== 'AT_DetachPartition' || !def || !('PartitionCmd' in def)) return false;
    return def.PartitionCmd.concurrent === true;
  });
}
