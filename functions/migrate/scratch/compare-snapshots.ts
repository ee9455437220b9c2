// Says what differs between two snapshots, with both definitions. Pure.
import * as z from 'zod';
import type { Catalog, Snapshot } from './snapshot.ts';

export const differenceSchema = z.strictObject({
  what: z.string().describe('the object, as `index "app"."notes" "notes_pkey"`'),
  expected: z.string().nullable().describe('its definition as it must be; null: it must not be there'),
  actual: z.string().nullable().describe('its definition as it is; null: it is not there'),
});

export type Difference = z.output<typeof differenceSchema>;

/** A body of a function may be long; the beginning and the place say enough. */
const LONGEST_TEXT = 4_000;

/** Objects that are missing, too many, or otherwise defined, in order of name. */
export function compareCatalogs(expected: Catalog, actual: Catalog): Difference[] {
  const differences: Difference[] = [];
  for (const what of [...new Set([...expected.keys(), ...actual.keys()])].toSorted()) {
    const [was, is] = [expected.get(what), actual.get(what)];
    if (was?.text === is?.text) continue;
    differences.push({ what, expected: cut(was?.shown), actual: cut(is?.shown) });
  }
  return differences;
}

/** Catalog, group roles and rows: by digest, or only their number where values are made anew. */
export function compareSnapshots(expected: Snapshot, actual: Snapshot, rowsBy: 'digest' | 'count'): Difference[] {
  const differences = compareCatalogs(expected.catalog, actual.catalog);
  for (const role of new Set([...expected.roles, ...actual.roles])) {
    const presence = ({ roles }: Snapshot) => (roles.includes(role) ? 'group role' : null);
    const difference = { what: `role "${role}"`, expected: presence(expected), actual: presence(actual) };
    if (difference.expected !== difference.actual) differences.push(difference);
  }
  for (const [table, was] of expected.rows) {
    const is = actual.rows.get(table);
    // A table that is missing is a difference of the catalogs.
    if (is === undefined) continue;
    const what = `rows of table ${table}`;
    if (was.rows !== is.rows) {
      differences.push({ what, expected: `${was.rows} rows`, actual: `${is.rows} rows` });
    } else if (rowsBy === 'digest' && was.digest !== is.digest) {
      differences.push({
        what,
        expected: `${was.rows} rows with digest ${was.digest}`,
        actual: `other values, digest ${is.digest}`,
      });
    }
  }
  return differences;
}

function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === '') return 'present';
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
