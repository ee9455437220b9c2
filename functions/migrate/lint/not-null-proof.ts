// Which columns a CHECK proves to be not null: then SET NOT NULL believes it and reads no row (PostgreSQL 12 and later).
import type { Node } from 'libpg-query';
import { parseExpression } from './parse-expression.ts';
import { namesOf } from './statement-parts.ts';

/** The columns whose `IS NOT NULL` is the condition, or one of the parts that AND joins to it. */
export function notNullColumns(condition: Node | undefined): string[] {
  if (condition === undefined) return [];
  if ('BoolExpr' in condition && condition.BoolExpr.boolop === 'AND_EXPR') {
    return (condition.BoolExpr.args ?? []).flatMap(notNullColumns);
  }
  if (!('NullTest' in condition) || condition.NullTest.nulltesttype !== 'IS_NOT_NULL') return [];
  const { arg } = condition.NullTest;
  const column = arg && 'ColumnRef' in arg ? namesOf(arg.ColumnRef.fields).at(-1) : undefined;
  return column === undefined ? [] : [column];
}

/** The same of a condition as the server prints it. */
export async function provenNotNull(condition: string): Promise<string[]> {
  return /is not null/i.test(condition) ? notNullColumns(await parseExpression(`select ${condition}`)) : [];
}
