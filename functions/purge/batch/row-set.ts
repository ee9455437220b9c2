// Sets of rows by where they lie: taken apart and put together. Pure.
import type { RowSet } from './row-work.ts';

export interface SetRow {
  row_tables: string | null;
  row_places: string | null;
  rows: number;
}

export function rowSetOf(row: SetRow | undefined): RowSet {
  return { rows: row?.rows ?? 0, tables: row?.row_tables ?? '{}', places: row?.row_places ?? '{}' };
}

/** Both halves; the first is the larger one. */
export function halvesOf(set: RowSet): [RowSet, RowSet] {
  const members = membersOf(set);
  const middle = Math.ceil(members.length / 2);
  return [setOf(members.slice(0, middle)), setOf(members.slice(middle))];
}

/** All rows of the sets, each once. */
export function unionOf(sets: readonly RowSet[]): RowSet {
  const [first] = sets;
  if (sets.length === 1 && first !== undefined) return first;
  return setOf([...new Set(sets.flatMap(membersOf))]);
}

/** The rows of `set` that are not in `known`. */
export function without(set: RowSet, known: RowSet): RowSet {
  const seen = new Set(membersOf(known));
  return setOf(membersOf(set).filter((member) => !seen.has(member)));
}

/** `<oid>(<block>,<line>)` each. */
function membersOf(set: RowSet): string[] {
  const tables = set.tables.match(/\d+/g) ?? [];
  const places = set.places.match(/\(\d+,\d+\)/g) ?? [];
  return places.map((place, index) => `${tables[index] ?? ''}${place}`);
}

function setOf(members: readonly string[]): RowSet {
  const tables = members.map((member) => member.slice(0, member.indexOf('(')));
  const places = members.map((member) => `"${member.slice(member.indexOf('('))}"`);
  return { rows: members.length, tables: `{${tables.join(',')}}`, places: `{${places.join(',')}}` };
}
