// Which rows a purge must leave because of legal holds, as one SQL condition: held themselves, leading to a held person, or
// taking a held row of another table with them. Pure.
import { all, any, hasKey, inTables, isReferenced, leadsTo, type Tables, tableOf } from '../batch/conditions.ts';
import type { Parameters } from '../batch/parameters.ts';
import type { FamilyNode } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import { pathsToSubject } from '../links/paths-to-subject.ts';
import { type LegalHold, parseKey } from './read-holds.ts';

export interface HoldsInPlay {
  readonly graph: LinkGraph;
  readonly tables: Tables;
  readonly holds: readonly LegalHold[];
}

/** True of a row (`alias`) of the node's table that no purge may touch now; `false` when no hold can concern it. */
export function heldCondition(
  inPlay: HoldsInPlay,
  node: Pick<FamilyNode, 'oid' | 'children'>,
  alias: string,
  parameters: Parameters,
): string {
  const parent = tableOf(inPlay.tables, node.oid);
  return any([
    heldItself(inPlay, node.oid, alias, parameters),
    ...node.children.map((child) =>
      isReferenced(inPlay.tables, child.applied, alias, parent, parameters, (childAlias) =>
        heldCondition(inPlay, child, childAlias, parameters),
      ),
    ),
  ]);
}

function heldItself(inPlay: HoldsInPlay, oid: string, alias: string, parameters: Parameters): string {
  const { graph, tables, holds } = inPlay;
  const conditions: string[] = [];
  for (const [tableOid, own] of byTable(holds)) {
    const held = tables.get(tableOid);
    if (held === undefined) continue;
    const keys = (some: readonly LegalHold[]) =>
      some.flatMap(({ holdId, key }) => (key === undefined ? [] : [parseKey(held, key, `legal hold ${holdId}`)]));
    if (graph.isSameTable(oid, tableOid)) {
      if (own.some(({ key }) => key === undefined)) {
        // A hold on one partition holds that partition; one on the table, or on what it inherits from, all of it.
        const isPart = tableOf(tables, oid).descendants?.includes(tableOid) === true;
        conditions.push(isPart ? inTables(alias, [tableOid, ...(held.descendants ?? [])], parameters) : 'true');
      }
      const rows = keys(own);
      if (rows.length > 0) conditions.push(hasKey(held, alias, rows, parameters));
      continue;
    }
    const subjects = keys(own.filter(({ isSubject }) => isSubject));
    if (subjects.length === 0) continue;
    for (const way of pathsToSubject(graph, oid, tableOid)) {
      conditions.push(all([leadsTo(tables, way, alias, subjects, parameters)]));
    }
  }
  return any(conditions);
}

function byTable(holds: readonly LegalHold[]): Map<string, LegalHold[]> {
  const found = new Map<string, LegalHold[]>();
  for (const hold of holds) {
    found.set(hold.tableOid, [...(found.get(hold.tableOid) ?? []), hold]);
  }
  return found;
}
