// The ways from a table to the row of a person: over foreign keys and classified columns. Pure.
import type { AppliedLink, LinkGraph } from './link-graph.ts';

/** Longer ways are not looked for: nobody would say that such a row is about the person. */
const LONGEST_WAY = 6;

/** Each way as its links from the table to the subject; none when no row of the table leads there. */
export function pathsToSubject(graph: LinkGraph, from: string, subject: string): (readonly AppliedLink[])[] {
  const found: (readonly AppliedLink[])[] = [];
  const walk = (oid: string, way: readonly AppliedLink[], seen: readonly string[]) => {
    if (way.length === LONGEST_WAY) return;
    for (const applied of graph.fromTable(oid)) {
      const { parentOid } = applied.link;
      if (seen.some((one) => graph.isSameTable(one, parentOid))) continue;
      const longer = [...way, applied];
      if (graph.isSameTable(parentOid, subject)) found.push(longer);
      else walk(parentOid, longer, [...seen, parentOid]);
    }
  };
  walk(from, [], [from]);
  return found;
}
