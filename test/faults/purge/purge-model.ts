// What a purge must leave, worked out in memory in the plainest way: for each row whether it may go, and what goes with it.
// Written without a look at the statements of purge; the tests compare both.

export type LinkAction = 'cascade' | 'no action' | 'restrict' | 'set null' | 'set default';

export interface ModelLink {
  readonly name: string;
  readonly parent: string;
  /** `classified`: a column that holds the key of a person without a foreign key. */
  readonly action: LinkAction | 'classified';
}

export interface ModelTable {
  readonly name: string;
  readonly links: readonly ModelLink[];
}

/** Older than the retention period are "past" and what lies a microsecond, or a day of a date, before the cutoff. */
export type Age = 'null' | '-infinity' | 'infinity' | 'past' | 'fresh' | 'before' | 'at' | 'after';

export interface ModelRow {
  readonly rid: number;
  readonly table: string;
  /** In a table that inherits from it: foreign keys of the table do not bind this row. */
  readonly isHeir: boolean;
  readonly age: Age;
  readonly kind: string;
  /** By name of the link the row that is referenced. */
  readonly refs: Map<string, number | null>;
  isAnonymised: boolean;
}

export interface ModelHold {
  readonly table: string;
  /** Undefined: the whole table. */
  readonly rid: number | undefined;
  readonly isSubject: boolean;
  readonly inForce: boolean;
}

export interface ModelPolicy {
  readonly table: string;
  readonly action: 'delete' | 'anonymise';
  readonly fits: (row: ModelRow) => boolean;
}

export interface ModelWorld {
  readonly tables: readonly ModelTable[];
  readonly rows: Map<number, ModelRow>;
  readonly holds: readonly ModelHold[];
  /** The row that a SET DEFAULT makes its children reference, by `table.link`; null: none. */
  readonly defaults: ReadonlyMap<string, number | null>;
}

export interface ModelOutcome {
  /** Rows of the table that are gone or anonymised. */
  readonly done: number;
  /** Rows past retention that must stay. */
  readonly held: number;
  readonly referenced: number;
  /** Of other tables. */
  readonly deleted: ReadonlyMap<string, number>;
  /** Of other tables: how often a reference was taken away. */
  readonly unlinked: ReadonlyMap<string, number>;
  /** Rows that might go together with others in a circle, although none of them may go alone. */
  readonly onlyTogether: ReadonlySet<number>;
}

interface Reference {
  readonly child: ModelRow;
  readonly link: ModelLink;
}

const isPast = ({ age }: ModelRow) => age === 'past' || age === 'before';

/** Carries the policy out on the rows of the world. */
export function applyPolicy(world: ModelWorld, policy: ModelPolicy): ModelOutcome {
  const inScope = () =>
    [...world.rows.values()].filter(
      (row) =>
        row.table === policy.table &&
        isPast(row) &&
        policy.fits(row) &&
        !(policy.action === 'anonymise' && row.isAnonymised),
    );
  const deleted = new Map<string, number>();
  const unlinked = new Map<string, number>();
  const more = (counts: Map<string, number>, table: string) => void counts.set(table, (counts.get(table) ?? 0) + 1);

  if (policy.action === 'anonymise') {
    const free = inScope().filter((row) => !isHeldWithFamily(world, row));
    for (const row of free) row.isAnonymised = true;
    return {
      done: free.length,
      held: inScope().length,
      referenced: 0,
      deleted,
      unlinked,
      onlyTogether: new Set(),
    };
  }

  let done = 0;
  for (let goes = nextToGo(world, inScope()); goes !== undefined; goes = nextToGo(world, inScope())) {
    const family = familyOf(world, [goes]);
    for (const { child, link } of unlinkedBy(world, family, policy.table)) {
      child.refs.set(
        link.name,
        link.action === 'set null' ? null : (world.defaults.get(`${child.table}.${link.name}`) ?? null),
      );
      more(unlinked, child.table);
    }
    for (const row of family) {
      world.rows.delete(row.rid);
      if (row !== goes) more(deleted, row.table);
    }
    done += 1;
  }
  const left = inScope();
  const held = left.filter((row) => isHeldWithFamily(world, row)).length;
  return { done, held, referenced: left.length - held, deleted, unlinked, onlyTogether: together(world, left) };
}

function nextToGo(world: ModelWorld, candidates: readonly ModelRow[]): ModelRow | undefined {
  return candidates.find(
    (row) =>
      !isHeldWithFamily(world, row) && !isKept(world, row, new Set(familyOf(world, [row]).map(({ rid }) => rid))),
  );
}

/** All that could go if all of it went at once: more than one by one where rows keep each other in a circle. */
function together(world: ModelWorld, left: readonly ModelRow[]): Set<number> {
  let going = left.filter((row) => !isHeldWithFamily(world, row));
  for (;;) {
    const rids = new Set(familyOf(world, going).map(({ rid }) => rid));
    const next = going.filter((row) => !isKept(world, row, rids));
    if (next.length === going.length) return new Set(going.map(({ rid }) => rid));
    going = next;
  }
}

/** A row outside of what goes references the row, or one that would go with it, by a key that allows no such thing. */
function isKept(world: ModelWorld, top: ModelRow, going: ReadonlySet<number>): boolean {
  return familyOf(world, [top]).some((row) =>
    referencesTo(world, row).some(({ child, link }) => {
      if (going.has(child.rid)) return false;
      if (child.table === top.table && link.parent === top.table) return true;
      return link.action === 'no action' || link.action === 'restrict';
    }),
  );
}

/** The rows and all that a cascade takes with them. Rows of the table itself are told apart one by one, not taken along. */
function familyOf(world: ModelWorld, tops: readonly ModelRow[]): ModelRow[] {
  const family = new Set(tops);
  const open = [...tops];
  const topTable = tops[0]?.table;
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    for (const { child, link } of referencesTo(world, row)) {
      const isOfTop = child.table === topTable && link.parent === topTable;
      if (link.action !== 'cascade' || isOfTop || family.has(child)) continue;
      family.add(child);
      open.push(child);
    }
  }
  return [...family];
}

function unlinkedBy(world: ModelWorld, family: readonly ModelRow[], topTable: string): Reference[] {
  const rids = new Set(family.map(({ rid }) => rid));
  return family
    .flatMap((row) => referencesTo(world, row))
    .filter(({ child, link }) => {
      if (rids.has(child.rid) || (child.table === topTable && link.parent === topTable)) return false;
      return link.action === 'set null' || link.action === 'set default';
    });
}

function isHeldWithFamily(world: ModelWorld, row: ModelRow): boolean {
  const family = familyOf(world, [row]);
  const changed = unlinkedBy(world, family, row.table).map(({ child }) => child);
  return [...family, ...changed].some((one) => isHeld(world, one));
}

function isHeld(world: ModelWorld, row: ModelRow): boolean {
  return world.holds.some((hold) => {
    if (!hold.inForce) return false;
    if (hold.rid === undefined) return hold.table === row.table;
    return hold.rid === row.rid || (hold.isSubject && leadsTo(world, row, hold.rid, [row.table]));
  });
}

/** Over references from table to table; references within one table lead to nobody. */
function leadsTo(world: ModelWorld, row: ModelRow, rid: number, seen: readonly string[]): boolean {
  return referencesOf(world, row).some(
    ({ parent }) =>
      !seen.includes(parent.table) && (parent.rid === rid || leadsTo(world, parent, rid, [...seen, parent.table])),
  );
}

function referencesOf(world: ModelWorld, row: ModelRow): { parent: ModelRow; link: ModelLink }[] {
  const table = world.tables.find(({ name }) => name === row.table);
  return (table?.links ?? []).flatMap((link) => {
    // A foreign key binds the rows of its table alone; a classified column says the same in a table that inherits it.
    if (row.isHeir && link.action !== 'classified') return [];
    const parent = world.rows.get(row.refs.get(link.name) ?? -1);
    return parent === undefined ? [] : [{ parent, link }];
  });
}

/** The rows that reference this one by a foreign key. */
function referencesTo(world: ModelWorld, row: ModelRow): Reference[] {
  return [...world.rows.values()].flatMap((child) =>
    referencesOf(world, child).flatMap(({ parent, link }) =>
      parent === row && link.action !== 'classified' ? [{ child, link }] : [],
    ),
  );
}
