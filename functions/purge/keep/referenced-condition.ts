// Which rows cannot go because a row of another table still references them, or a row that would go with them. Pure.
import { any, isReferenced, type Tables, tableOf } from '../batch/conditions.ts';
import type { Parameters } from '../batch/parameters.ts';
import type { FamilyNode } from '../links/family.ts';

/** True of a row (`alias`) that a foreign key of a table outside the family keeps; `false` when there is no such key. */
export function referencedCondition(
  tables: Tables,
  node: Pick<FamilyNode, 'oid' | 'children' | 'blockers'>,
  alias: string,
  parameters: Parameters,
): string {
  const parent = tableOf(tables, node.oid);
  return any([
    ...node.blockers.map((applied) => isReferenced(tables, applied, alias, parent, parameters, () => 'true')),
    ...node.children.map((child) =>
      isReferenced(tables, child.applied, alias, parent, parameters, (childAlias) =>
        referencedCondition(tables, child, childAlias, parameters),
      ),
    ),
  ]);
}
