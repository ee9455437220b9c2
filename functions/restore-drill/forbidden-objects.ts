// What a drill cannot compare, because its role was not allowed to make it: whole kinds of the inventory, and everything of the
// relations that needed them. It is named in the evidence as not proven.
import type { Inventory } from '../shared/inventory.ts';

/** Kind of the archive entry to the kinds of the inventory that show it. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  CAST: ['cast'],
  COMMENT: ['comment'],
  'DEFAULT ACL': ['default privileges'],
  'EVENT TRIGGER': ['event trigger'],
  EXTENSION: ['extension'],
  'FOREIGN DATA WRAPPER': ['foreign data wrapper'],
  FUNCTION: ['function'],
  'OPERATOR CLASS': ['operator class'],
  'OPERATOR FAMILY': ['operator family'],
  'PROCEDURAL LANGUAGE': ['language'],
  PUBLICATION: ['publication', 'table of publication', 'schema of publication'],
  'PUBLICATION TABLE': ['table of publication'],
  'PUBLICATION TABLES IN SCHEMA': ['schema of publication'],
  SERVER: ['server'],
  'USER MAPPING': ['user mapping'],
};
const RELATION = /^(?:FOREIGN TABLE|VIEW|MATERIALIZED VIEW) ((?:"(?:[^"]|"")*"\.)?"(?:[^"]|"")*"): /;

/** The kinds, by the words of the engine about what it left out, as `EVENT TRIGGER "audit": permission denied …`. */
export function forbiddenKinds(forbidden: readonly string[]): string[] {
  return [...new Set(forbidden.flatMap((words) => KINDS[/^([A-Z ]+?) "/.exec(words)?.[1] ?? ''] ?? []))];
}

/** The inventory without relations that were left out, and without whatever names them. */
export function withoutForbidden(
  inventory: Inventory | undefined,
  forbidden: readonly string[],
): Inventory | undefined {
  const relations = forbidden.flatMap((words) => RELATION.exec(words)?.[1] ?? []);
  if (inventory === undefined || inventory.entries === null || relations.length === 0) return inventory;
  const entries = inventory.entries.filter(([, identity]) => !relations.some((name) => identity.includes(name)));
  return { ...inventory, entries };
}
