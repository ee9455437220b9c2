// Makes of one UPDATE or DELETE the statement of one batch: the same text, with the range of the batch added to its WHERE.
import type { Node } from 'libpg-query';
import { JobFailure } from '../../shared/job-failure.ts';
import type { BatchHeader } from '../../shared/migration-header.ts';
import { migrationParser } from '../../shared/migration-parser.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { relationName } from './name-in-sql.ts';

export interface BatchStatement {
  /** The table, in SQL. */
  readonly table: string;
  /** Name of the column, as in the catalog. */
  readonly column: string;
  /** The statement for the rows above `$1` (unless it is the first batch) and up to `$2`, cast to that type. */
  textOf(type: string, isFirst: boolean): string;
  /** The query for the upper end of the next batch, above `$1` and not above `$2`. */
  nextEnd(type: string, isFirst: boolean): string;
}

/** Throws `migrate.files_wrong` for a statement that cannot be parted. */
export async function batchStatement(
  where: string,
  statement: MigrationStatement,
  batch: BatchHeader,
): Promise<BatchStatement> {
  const refuse = (because: string, hint: string) =>
    new JobFailure({
      code: 'migrate.files_wrong',
      problem: `${where}: "${statement.firstLine}" ${because}, so it cannot run in batches`,
      safeState: 'This statement was not run',
      hint,
    });
  const { relation, returning } = partsOf(statement.tree);
  if (!relation) throw refuse('names no table', 'write UPDATE or DELETE of one table');
  if (returning) throw refuse('has RETURNING', 'leave it out: nobody reads what it returns');
  const table = relationName(relation);
  const column = batch.column.replace(/^"(.*)"$/, '$1').replaceAll('""', '"');
  const key = `${relation.alias?.aliasname ? quoteIdentifier(relation.alias.aliasname) : table}.${quoteIdentifier(column)}`;
  const { head, condition } = await splitWhere(statement.text);
  return {
    table,
    column,
    textOf: (type, isFirst) => {
      const range = [...(isFirst ? [] : [`${key} > $2::${type}`]), `${key} <= $1::${type}`].join(' and ');
      return condition === undefined ? `${head} where ${range}` : `${head} where (${condition}\n) and ${range}`;
    },
    nextEnd: (type, isFirst) => {
      const own = quoteIdentifier(column);
      const above = isFirst ? '' : ` and ${own} > $2::${type}`;
      return `select max(k)::text as last from (select ${own} as k from ${table} where ${own} <= $1::${type}${above} order by ${own} limit ${batch.rows}) batch`;
    },
  };
}

function partsOf(tree: Node) {
  if ('UpdateStmt' in tree) {
    return { relation: tree.UpdateStmt.relation, returning: tree.UpdateStmt.returningClause !== undefined };
  }
  if ('DeleteStmt' in tree) {
    return { relation: tree.DeleteStmt.relation, returning: tree.DeleteStmt.returningClause !== undefined };
  }
  return { relation: undefined, returning: false };
}

/** Parts at the WHERE of the statement itself: the last one outside of parentheses. */
async function splitWhere(text: string): Promise<{ head: string; condition: string | undefined }> {
  const { scan } = await migrationParser();
  const { tokens } = await scan(text);
  let depth = 0;
  let at: { start: number; end: number } | undefined;
  for (const token of tokens) {
    if (token.text === '(') depth += 1;
    else if (token.text === ')') depth -= 1;
    else if (depth === 0 && token.text.toLowerCase() === 'where') at = token;
  }
  if (at === undefined) return { head: text, condition: undefined };
  // Offsets are bytes.
  const bytes = Buffer.from(text, 'utf8');
  return {
    head: bytes.subarray(0, at.start).toString('utf8'),
    condition: bytes.subarray(at.end).toString('utf8').trim(),
  };
}
