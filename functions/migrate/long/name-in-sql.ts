// Names as they stand in a statement, for to_regclass and its likes: the server resolves them as the statement itself would.
import type { Node, RangeVar } from 'libpg-query';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';

/** `"app"."users"` of a table in a statement. */
export function relationName({ schemaname, relname }: RangeVar): string {
  return joined([schemaname, relname]);
}

/** `"app"."users_idx"` of a name in DROP or ALTER TYPE: a list of strings. */
export function listedName(node: Node | readonly Node[]): string {
  const items = 'length' in node ? node : 'List' in node ? (node.List.items ?? []) : [];
  return joined(items.map((item) => ('String' in item ? item.String.sval : undefined)));
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined)
    .map(quoteIdentifier)
    .join('.');
}
