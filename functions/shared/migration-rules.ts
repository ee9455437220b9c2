// What a migration file may not contain, decided on the parser's tree, before anything is run.
import type { Node } from 'libpg-query';
import { JobFailure } from './job-failure.ts';
import type { MigrationStatement } from './migration-statements.ts';
import { isConcurrent, longOperation } from './migration-units.ts';

interface Refusal {
  because: string;
  instead: string;
}

/**
 * Throws `migrate.files_wrong` for the first statement that migrate cannot run, or that would end its transaction.
 *
 * `inOneTransaction`: also for those that need a unit of their own (schema nightshift is installed as a whole).
 */
export function checkMigrationRules(
  file: string,
  statements: readonly MigrationStatement[],
  inOneTransaction: boolean,
): void {
  for (const statement of statements) {
    const refusal = refusalOf(statement) ?? (inOneTransaction ? refusalOfLong(statement) : undefined);
    if (!refusal) continue;
    throw new JobFailure({
      code: 'migrate.files_wrong',
      problem: `${file}:${statement.line}:${statement.column}: "${statement.firstLine}" ${refusal.because}`,
      safeState: 'No migration was run',
      hint: `${refusal.instead}${'TransactionStmt' in statement.tree ? besideLong(statements) : ''}`,
    });
  }
}

/** Whoever writes BEGIN around these wants them to be one transaction, which the server refuses. */
function besideLong(statements: readonly MigrationStatement[]): string {
  const long = statements.filter(({ tree }) => longOperation(tree) !== undefined);
  if (long.length === 0) return '';
  const lines = long.map(({ line }) => line).join(', ');
  return long.length === 1
    ? `, and the statement of line ${lines} runs alone, outside of any`
    : `, and each of the ${long.length} statements of lines ${lines} runs alone, outside of any`;
}

const OUTSIDE = 'cannot run in a transaction';
const runByHand = (how: string) => `${how}, by hand or from your own tool, in a session without BEGIN`;

function refusalOfLong({ tree }: Pick<MigrationStatement, 'tree'>): Refusal | undefined {
  if (longOperation(tree) === undefined) return undefined;
  return { because: 'must run alone, and the files of this folder run in one transaction', instead: 'leave it out' };
}

/** Why a statement is refused, or undefined when it may run. */
export function refusalOf(statement: Pick<MigrationStatement, 'tree'>): Refusal | undefined {
  const tree = statement.tree;
  if ('TransactionStmt' in tree) {
    return {
      because:
        'controls the transaction, but the transaction belongs to migrate: it also holds the record of this file',
      instead: 'remove BEGIN, COMMIT, ROLLBACK and SAVEPOINT; migrate makes the transactions',
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
  if ('IndexStmt' in tree && tree.IndexStmt.concurrent === true && (tree.IndexStmt.idxname ?? '') === '') {
    return {
      because: 'has no name for its index, so a half built one could not be found again',
      instead: 'give the index a name',
    };
  }
  if ('DropStmt' in tree && tree.DropStmt.concurrent === true && (tree.DropStmt.objects ?? []).length > 1) {
    return { because: 'drops more than one index, and the server drops one at a time', instead: 'write one for each' };
  }
  if ('ReindexStmt' in tree && isWholesale(tree.ReindexStmt)) {
    return { because: OUTSIDE, instead: 'name the table or the index, or add CONCURRENTLY' };
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

function isWholesale({ kind, params }: { kind?: string; params?: Node[] }): boolean {
  const wholesale = ['REINDEX_OBJECT_SCHEMA', 'REINDEX_OBJECT_SYSTEM', 'REINDEX_OBJECT_DATABASE'];
  return kind !== undefined && wholesale.includes(kind) && !isConcurrent(params);
}
