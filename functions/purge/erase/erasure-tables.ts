// Which tables hold rows of a person, and in which order they are erased. Pure.
import { type FamilyCycle, orderOf } from '../links/family.ts';
import type { AppliedLink, LinkGraph } from '../links/link-graph.ts';
import { pathsToSubject } from '../links/paths-to-subject.ts';

export interface ErasureTable {
  readonly oid: string;
  /** The ways that lead from its rows to the person; none for the person's own table. */
  readonly ways: readonly (readonly AppliedLink[])[];
}

/**
 * The tables whose rows lead to the subject, each before those that its rows reference, the subject's own last; or a cycle.
 *
 * A foreign key that is ON DELETE SET NULL or SET DEFAULT leads to nobody: by the schema its row outlives the person, and
 * loses only the reference.
 */
export function erasureTables(graph: LinkGraph, subject: string): ErasureTable[] | FamilyCycle {
  const found = new Set<string>();
  const open = [subject];
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    for (const { link } of graph.toTable(oid)) {
      const isKnown = [subject, ...found].some((one) => graph.isSameTable(one, link.childOid));
      if (isKnown || !leads(link.onDelete)) continue;
      found.add(link.childOid);
      open.push(link.childOid);
    }
  }
  const order = orderOf(graph, [...found, subject]);
  if ('cycle' in order) return order;
  // A classified link binds nothing in the server, so the order does not know that the person comes last.
  const ordered = [...order.order.filter((oid) => oid !== subject), subject];
  return ordered.map((oid) => ({
    oid,
    ways:
      oid === subject
        ? []
        : pathsToSubject(graph, oid, subject).filter((way) => way.every(({ link }) => leads(link.onDelete))),
  }));
}

function leads(onDelete: AppliedLink['link']['onDelete']): boolean {
  return onDelete !== 'set null' && onDelete !== 'set default';
}
