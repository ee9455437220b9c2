// The facts of all tables that a purge has to do with: read once, and again when a new hold names another table.
import type { DatabaseSession } from '../../shared/database.ts';
import type { Tables } from '../batch/conditions.ts';
import type { LegalHold } from '../keep/read-holds.ts';
import { type Family, type FamilyNode, nodesOf } from '../links/family.ts';
import type { LinkGraph } from '../links/link-graph.ts';
import { pathsToSubject } from '../links/paths-to-subject.ts';
import { readTables, type TableFacts } from '../links/read-tables.ts';

export interface KnownTables {
  readonly tables: Tables;
  /** Reads those that are not known yet. */
  learn(session: DatabaseSession, oids: Iterable<string>): Promise<void>;
}

export function knownTables(): KnownTables {
  const tables = new Map<string, TableFacts>();
  return {
    tables,
    learn: async (session, oids) => {
      const missing = [...new Set(oids)].filter((oid) => !tables.has(oid));
      if (missing.length === 0) return;
      for (const [oid, table] of await readTables(session, missing)) tables.set(oid, table);
    },
  };
}

/** The tables of a family and those that its foreign keys bind to it. */
export function tablesOfFamily(family: Family): string[] {
  const nodes = [family.top, ...nodesOf(family.top)];
  const links = nodes.flatMap(({ blockers, selfLinks }) => [...blockers, ...selfLinks]);
  return [...nodes.map(({ oid }) => oid), ...links.map(({ link }) => link.childOid)];
}

/** The tables that the holds name, and those on the ways from the family to held persons. */
export function tablesOfHolds(graph: LinkGraph, family: Family, holds: readonly LegalHold[]): string[] {
  const held = holds.map(({ tableOid }) => tableOid);
  const subjects = new Set(holds.filter(({ isSubject }) => isSubject).map(({ tableOid }) => tableOid));
  const members = new Set([family.top, ...nodesOf(family.top)].map(({ oid }) => oid));
  const ways = [...members].flatMap((oid) => [...subjects].flatMap((subject) => pathsToSubject(graph, oid, subject)));
  return [...held, ...ways.flat().map(({ link }) => link.parentOid)];
}

/** The family without the foreign keys of tables that the role may not read; rows that those keep are found one by one. */
export function withReadableBlockers(family: Family, tables: Tables): { family: Family; unreadable: string[] } {
  const unreadable = new Set<string>();
  const isReadable = (oid: string) => {
    const table = tables.get(oid);
    if (table?.may_select === true) return true;
    unreadable.add(table?.label ?? oid);
    return false;
  };
  const cut = <N extends Pick<FamilyNode, 'blockers' | 'children'>>(node: N): N => ({
    ...node,
    blockers: node.blockers.filter(({ link }) => isReadable(link.childOid)),
    children: node.children.map(cut),
  });
  return { family: { ...family, top: cut(family.top) }, unreadable: [...unreadable] };
}
