// Parts a migration script into units: what is one transaction together, and what must run alone and may outlive its client.
import type { Node } from 'libpg-query';
import { JobFailure } from './job-failure.ts';
import type { MigrationScript } from './migration-files.ts';
import type { BatchHeader } from './migration-header.ts';
import type { MigrationStatement } from './migration-statements.ts';

/** Statements that run alone, on a session of their own, without a time limit. */
export type LongOperation =
  | 'create index concurrently'
  | 'drop index concurrently'
  | 'reindex concurrently'
  | 'validate constraint'
  | 'add enum value'
  | 'vacuum'
  | 'detach partition concurrently'
  | 'refresh materialized view concurrently';

export type MigrationUnit =
  | { readonly kind: 'transaction'; readonly statements: readonly MigrationStatement[] }
  | { readonly kind: 'long'; readonly operation: LongOperation; readonly statement: MigrationStatement }
  | { readonly kind: 'batch'; readonly batch: BatchHeader; readonly statement: MigrationStatement };

/**
 * The units of a script in the order in which they run: neighbours that may share a transaction do.
 *
 * Throws `migrate.files_wrong` for a batch header without an UPDATE or DELETE below it.
 */
export function unitsOf(script: Pick<MigrationScript, 'file' | 'statements' | 'header'>): MigrationUnit[] {
  const units: MigrationUnit[] = [];
  const batches = batchesByStatement(script);
  let together: MigrationStatement[] = [];
  const endTransaction = () => {
    if (together.length > 0) units.push({ kind: 'transaction', statements: together });
    together = [];
  };
  for (const statement of script.statements) {
    const batch = batches.get(statement.number);
    const operation = longOperation(statement.tree);
    if (batch === undefined && operation === undefined) {
      together.push(statement);
      continue;
    }
    endTransaction();
    if (batch !== undefined) units.push({ kind: 'batch', batch, statement });
    else if (operation !== undefined) units.push({ kind: 'long', operation, statement });
  }
  endTransaction();
  return units;
}

/** What runs alone, or undefined for what can be in a transaction. */
export function longOperation(tree: Node): LongOperation | undefined {
  if ('IndexStmt' in tree) return tree.IndexStmt.concurrent === true ? 'create index concurrently' : undefined;
  if ('DropStmt' in tree) return tree.DropStmt.concurrent === true ? 'drop index concurrently' : undefined;
  if ('ReindexStmt' in tree) return isConcurrent(tree.ReindexStmt.params) ? 'reindex concurrently' : undefined;
  if ('VacuumStmt' in tree) return tree.VacuumStmt.is_vacuumcmd === true ? 'vacuum' : undefined;
  if ('RefreshMatViewStmt' in tree) {
    return tree.RefreshMatViewStmt.concurrent === true ? 'refresh materialized view concurrently' : undefined;
  }
  // With a new label alone: a renamed one is an ordinary statement.
  if ('AlterEnumStmt' in tree) return tree.AlterEnumStmt.oldVal === undefined ? 'add enum value' : undefined;
  if ('AlterTableStmt' in tree) return longAlter(tree.AlterTableStmt.cmds ?? []);
  return undefined;
}

function longAlter(commands: readonly Node[]): LongOperation | undefined {
  const [only] = commands;
  if (only === undefined || commands.length > 1 || !('AlterTableCmd' in only)) return undefined;
  const { subtype, def } = only.AlterTableCmd;
  if (subtype === 'AT_ValidateConstraint') return 'validate constraint';
  if (subtype === 'AT_DetachPartition' && def && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true) {
    return 'detach partition concurrently';
  }
  return undefined;
}

/** Whether `(concurrently)` is among the options of a REINDEX. */
export function isConcurrent(params: readonly Node[] | undefined): boolean {
  return (params ?? []).some((param) => 'DefElem' in param && param.DefElem.defname === 'concurrently');
}

function batchesByStatement({
  file,
  statements,
  header,
}: Pick<MigrationScript, 'file' | 'statements' | 'header'>): Map<number, BatchHeader> {
  const found = new Map<number, BatchHeader>();
  for (const batch of header.batches) {
    const statement = statements.find(({ line }) => line > batch.line);
    const where = `${file}:${batch.line}: the header "batch by ${batch.column} ${batch.rows}"`;
    if (statement === undefined) throw batchWrong(`${where} has no statement below it`);
    if (found.has(statement.number)) throw batchWrong(`${where} is the second for the same statement`);
    if (!('UpdateStmt' in statement.tree || 'DeleteStmt' in statement.tree)) {
      throw batchWrong(`${where} stands over "${statement.firstLine}", which is neither UPDATE nor DELETE`);
    }
    found.set(statement.number, batch);
  }
  return found;
}

function batchWrong(problem: string): JobFailure {
  return new JobFailure({
    code: 'migrate.files_wrong',
    problem,
    safeState: 'No migration was run',
    hint: 'put it right above the one UPDATE or DELETE that is to run in batches, or remove it',
  });
}
