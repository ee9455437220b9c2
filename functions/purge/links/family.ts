// The tables whose rows go, or are changed, with the rows of a table: the tree of its cascading foreign keys. Pure.
import type { AppliedLink, LinkGraph } from './link-graph.ts';

export interface FamilyNode {
  readonly oid: string;
  /** How its rows are tied to those of the node above. */
  readonly applied: AppliedLink;
  /** From the table at the top to this one. */
  readonly path: readonly string[];
  readonly action: 'delete' | 'set null' | 'set default';
  readonly children: readonly FamilyNode[];
  /** Foreign keys of tables outside the family that keep a row here from going. */
  readonly blockers: readonly AppliedLink[];
  /** Foreign keys of the table to itself. */
  readonly selfLinks: readonly AppliedLink[];
}

export interface Family {
  readonly top: Omit<FamilyNode, 'applied'>;
  /** The tables that lose rows, those first whose rows must go first. */
  readonly order: readonly string[];
}

/** A way from a table back to itself, over tables that lose rows. */
export interface FamilyCycle {
  readonly cycle: readonly string[];
}

/**
 * The family of a table, or the cycle of foreign keys that leaves no order in which its rows could go.
 *
 * A foreign key of a table to itself is no such cycle: rows that reference each other are told apart one by one.
 */
export function familyOf(graph: LinkGraph, top: string): Family | FamilyCycle {
  const members = new Set([top]);
  let cycle: readonly string[] | undefined;

  function collect(oid: string, path: readonly string[]): void {
    for (const { link } of graph.toTable(oid)) {
      if (link.onDelete !== 'cascade' || graph.isSameTable(link.childOid, oid)) continue;
      const earlier = path.findIndex((one) => graph.isSameTable(one, link.childOid));
      if (earlier >= 0) {
        cycle ??= [...path.slice(earlier), link.childOid];
        continue;
      }
      members.add(link.childOid);
      collect(link.childOid, [...path, link.childOid]);
      if (cycle !== undefined) return;
    }
  }
  collect(top, [top]);
  if (cycle !== undefined) return { cycle };
  const order = orderOf(graph, members);
  if ('cycle' in order) return order;

  const isMember = (oid: string) => [...members].some((one) => graph.isSameTable(one, oid));
  const partsOf = (oid: string, path: readonly string[]) => {
    const links = graph.toTable(oid).filter(({ link }) => link.onDelete !== 'classified');
    const selfLinks = links.filter(({ link }) => graph.isSameTable(link.childOid, oid));
    const others = links.filter((applied) => !selfLinks.includes(applied));
    return {
      oid,
      path,
      selfLinks,
      blockers: others.filter(
        ({ link }) => (link.onDelete === 'no action' || link.onDelete === 'restrict') && !isMember(link.childOid),
      ),
      children: others.flatMap((applied) => nodeOf(applied, path)),
    };
  };
  function nodeOf(applied: AppliedLink, path: readonly string[]): FamilyNode[] {
    const { childOid: oid, onDelete } = applied.link;
    const ownPath = [...path, oid];
    if (onDelete === 'cascade') return [{ ...partsOf(oid, ownPath), applied, action: 'delete' }];
    if (onDelete !== 'set null' && onDelete !== 'set default') return [];
    return [{ oid, path: ownPath, applied, action: onDelete, children: [], blockers: [], selfLinks: [] }];
  }
  return { top: { ...partsOf(top, [top]), action: 'delete' }, order: order.order };
}

/**
 * The tables with each one before those that its rows reference; or a cycle, named from its first table back to it.
 *
 * Among several that may come first, the order is that of `members`.
 */
export function orderOf(graph: LinkGraph, members: Iterable<string>): { order: string[] } | FamilyCycle {
  const open = new Set(members);
  const referencedBy = referencesAmong(graph, [...open]);
  const waits = (oid: string) => [...(referencedBy.get(oid) ?? [])].filter((one) => open.has(one));
  const order: string[] = [];
  while (open.size > 0) {
    const free = [...open].filter((oid) => waits(oid).length === 0);
    const [start] = open;
    if (free.length === 0 && start !== undefined) return { cycle: circleFrom(start, waits) };
    for (const oid of free) {
      open.delete(oid);
      order.push(oid);
    }
  }
  return { order };
}

/** For each table the others whose rows reference its rows. */
function referencesAmong(graph: LinkGraph, members: readonly string[]): Map<string, Set<string>> {
  const memberOf = new Map(members.flatMap((oid) => [...graph.relatives(oid)].map((one) => [one, oid])));
  return new Map(
    members.map((oid) => {
      const links = graph.toTable(oid).filter(({ link }) => link.onDelete !== 'classified');
      const children = links.flatMap(({ link }) => memberOf.get(link.childOid) ?? []);
      return [oid, new Set(children.filter((one) => one !== oid))];
    }),
  );
}

/** Follows what each one waits for until one comes again; each of them waits for another one. */
function circleFrom(start: string, waits: (oid: string) => string[]): string[] {
  const path = [start];
  for (;;) {
    const [next] = waits(path.at(-1) ?? '');
    if (next === undefined) throw new RangeError('a table that is not free waits for none');
    const earlier = path.indexOf(next);
    if (earlier >= 0) return [...path.slice(earlier), next];
    path.push(next);
  }
}

/** All nodes of a family below its top. */
export function nodesOf(node: Pick<FamilyNode, 'children'>): FamilyNode[] {
  return node.children.flatMap((child) => [child, ...nodesOf(child)]);
}
