// Which rows lead to which: foreign keys and classified columns between tables, with partitions and heirs taken into account.
// Pure.

export interface Link {
  /** The name of the foreign key; of a classified column its own name. */
  readonly name: string;
  readonly childOid: string;
  readonly parentOid: string;
  readonly childColumns: readonly string[];
  /** Empty for a classified column: the primary key of the parent. */
  readonly parentColumns: readonly string[];
  readonly onDelete: 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default' | 'classified';
  /** What SET NULL and SET DEFAULT set. */
  readonly setColumns: readonly string[];
  readonly hasIndex: boolean;
}

export interface Inheritance {
  readonly childOid: string;
  readonly parentOid: string;
  readonly isPartition: boolean;
}

/** A link as it binds the rows of one table. */
export interface AppliedLink {
  readonly link: Link;
  /** The link covers only rows that lie in these tables; undefined: all rows of the table. */
  readonly only: readonly string[] | undefined;
}

export interface LinkGraph {
  /** The links whose parent rows are rows of this table. */
  toTable(oid: string): AppliedLink[];
  /** The links whose child rows are rows of this table. */
  fromTable(oid: string): AppliedLink[];
  /** Whether the two have rows in common. */
  isSameTable(one: string, other: string): boolean;
  /** The table and everything that it inherits from or that inherits from it. */
  relatives(oid: string): ReadonlySet<string>;
}

/**
 * The graph of links.
 *
 * A foreign key to a partitioned table covers all its partitions; one to any other table covers the rows of that table
 * alone, not those of its heirs.
 */
export function linkGraph(links: readonly Link[], inheritance: readonly Inheritance[]): LinkGraph {
  const below = transitive(inheritance.map(({ parentOid, childOid }) => [parentOid, childOid]));
  const partitionsOf = transitive(
    inheritance.filter(({ isPartition }) => isPartition).map(({ parentOid, childOid }) => [parentOid, childOid]),
  );
  const above = transitive(inheritance.map(({ parentOid, childOid }) => [childOid, parentOid]));
  const partitionedAbove = transitive(
    inheritance.filter(({ isPartition }) => isPartition).map(({ parentOid, childOid }) => [childOid, parentOid]),
  );
  const set = (map: Map<string, Set<string>>, oid: string) => map.get(oid) ?? new Set<string>();

  /** How the rows of `oid` are covered by a key that stands at `at`; undefined: not at all. */
  function covered(oid: string, at: string): { only: readonly string[] | undefined } | undefined {
    const hasHeirs = set(below, oid).size > set(partitionsOf, oid).size;
    if (at === oid) return { only: hasHeirs ? [oid] : undefined };
    if (set(partitionedAbove, oid).has(at)) return { only: undefined };
    if (set(below, oid).has(at)) return { only: [at, ...set(partitionsOf, at)] };
    return undefined;
  }

  const indexOf = (side: 'parentOid' | 'childOid') => Map.groupBy(links, (link) => link[side]);
  const byParent = indexOf('parentOid');
  const byChild = indexOf('childOid');
  const apply = (oid: string, bySide: Map<string, Link[]>) =>
    [oid, ...set(partitionedAbove, oid), ...set(below, oid)].flatMap((at) => {
      const cover = covered(oid, at);
      if (cover === undefined) return [];
      return (bySide.get(at) ?? []).map((link) => ({ link, only: cover.only }));
    });
  const relatives = (oid: string) => new Set([oid, ...set(below, oid), ...set(above, oid)]);
  return {
    toTable: (oid) => apply(oid, byParent),
    fromTable: (oid) => apply(oid, byChild),
    isSameTable: (one, other) => one === other || set(below, one).has(other) || set(above, one).has(other),
    relatives,
  };
}

/** All that can be reached from each start. */
function transitive(pairs: readonly (readonly [string, string])[]): Map<string, Set<string>> {
  const next = new Map<string, string[]>();
  for (const [from, to] of pairs) next.set(from, [...(next.get(from) ?? []), to]);
  const reached = new Map<string, Set<string>>();
  for (const from of next.keys()) {
    const found = new Set<string>();
    const open = [...(next.get(from) ?? [])];
    for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
      if (found.has(oid)) continue;
      found.add(oid);
      open.push(...(next.get(oid) ?? []));
    }
    reached.set(from, found);
  }
  return reached;
}
