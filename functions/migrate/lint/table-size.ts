// Whether anybody would notice a lock on a table: new ones are empty and unknown to others, small ones are read in no time.
import type { Found, LintContext } from './lint-rule.ts';
import type { RunTable } from './run-schema.ts';
import { showName, type WrittenName } from './statement-parts.ts';

/**
 * Below both a table is small.
 *
 * Ours: PostgreSQL 15 on two cores rewrites 9,900 rows of 10 MiB with three indexes in 0.1 s and reads them in 3 ms, so that
 * ten times as slow an instance stays within the second that an application takes for a slow query.
 */
export const SMALL_TABLE = { rows: 10_000, bytes: 10 * 1_048_576 };

export type TableSize = 'new' | 'small' | 'large' | 'unknown';

/** The size of a table, and its name with what is known of the size, for a message. */
export function sizeOf(context: LintContext, name: WrittenName): { size: TableSize; about: string } {
  const table = context.schema.table(name);
  const shown = showName(name);
  if (isNew(context, name, table)) return { size: 'new', about: shown };
  if (!table || table.bytes === null) {
    const why = context.schema.catalog
      ? 'which the live catalog does not have: its size is not known'
      : 'whose size is not known here: the live catalog would tell';
    return { size: 'unknown', about: `${shown}, ${why}` };
  }
  const isSmall = table.bytes < SMALL_TABLE.bytes && (table.rows ?? 0) < SMALL_TABLE.rows;
  const rows = table.rows === null ? 'never analyzed' : `about ${table.rows.toLocaleString('en')} rows`;
  return {
    size: isSmall ? 'small' : 'large',
    about: `${shown} (${rows}, ${showBytes(table.bytes)})`,
  };
}

/**
 * Whether nobody uses the table yet.
 *
 * Made by this file, or by an earlier one of the run when a catalog proves that it is not there yet. For a down script only
 * what it makes itself: what the up script made may have grown by then. What a down script drops anyhow counts as new.
 */
function isNew(
  { schema, file, direction, script }: LintContext,
  name: WrittenName,
  table: RunTable | undefined,
): boolean {
  if (direction === 'down' && script.dropped.has(`${schema.schemaOf(name)}.${name.name}`)) return true;
  if (table?.madeBy === undefined) return false;
  return table.madeBy === file || (schema.catalog !== null && direction === 'up');
}

/** One finding about that table unless it is new or small. */
export function unlessSmall(context: LintContext, name: WrittenName, what = 'on '): Found[] {
  const { size, about } = sizeOf(context, name);
  return size === 'new' || size === 'small' ? [] : [{ about: `${what}${about}` }];
}

/** One finding about that table unless it is new; of a small one only a warning. */
export function unlessNew(context: LintContext, name: WrittenName, what = 'on '): Found[] {
  const { size, about } = sizeOf(context, name);
  if (size === 'new') return [];
  return [{ about: `${what}${about}`, ...(size === 'small' && { severity: 'warning' as const }) }];
}

/** Whether the table is known to hold no row. */
export function isEmpty(context: LintContext, name: WrittenName): boolean {
  return sizeOf(context, name).size === 'new' || context.schema.table(name)?.bytes === 0;
}

function showBytes(bytes: number): string {
  if (bytes < 1_048_576) return `${Math.ceil(bytes / 1_024)} KiB`;
  if (bytes < 1_073_741_824) return `${Math.round(bytes / 1_048_576)} MiB`;
  return `${(bytes / 1_073_741_824).toFixed(1)} GiB`;
}
