// Parses the expressions that the catalog keeps as text: conditions of checks, bodies of functions in SQL.
import type { Node } from 'libpg-query';
import { migrationParser } from '../../shared/migration-parser.ts';

/** The expression of a text that is `select <expression>` and no more; undefined for any other. */
export async function parseExpression(text: string): Promise<Node | undefined> {
  const { parse, hasSqlDetails } = await migrationParser();
  try {
    const [raw, ...more] = (await parse(text)).stmts ?? [];
    const select = raw?.stmt && 'SelectStmt' in raw.stmt ? raw.stmt.SelectStmt : undefined;
    const [target, ...others] = select?.targetList ?? [];
    if (more.length > 0 || others.length > 0 || !target || !('ResTarget' in target)) return undefined;
    return Object.keys(select ?? {}).some((part) => !EXPRESSION_PARTS.has(part)) ? undefined : target.ResTarget.val;
  } catch (error) {
    // A body in words that this parser does not know is none that can be looked into.
    if (hasSqlDetails(error)) return undefined;
    throw error;
  }
}

/** What the tree of `select 1` has; FROM, WHERE, LIMIT and so on would be more. */
const EXPRESSION_PARTS: ReadonlySet<string> = new Set(['targetList', 'limitOption', 'op']);
