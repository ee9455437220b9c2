// How long a rehearsed statement would take on the live tables. Pure.
import type { Rates } from './contract.ts';
import type { Observed, RelationFacts } from './statement-facts.ts';

export interface LiveSize {
  /** Null: the server has no estimate. */
  readonly rows: number | null;
  readonly bytes: number;
}

export interface Scale {
  readonly rates: Rates;
  /** By oid in the copy; a table that a pending file has made is not in it. */
  readonly live: ReadonlyMap<number, LiveSize>;
  readonly rowsInCopy: (oid: number) => number;
}

/** Locks that a statement takes which only reads or changes rows: it scans what it says it scans. */
const WEAK: ReadonlySet<string> = new Set(['AccessShareLock', 'RowShareLock', 'RowExclusiveLock']);

/**
 * The sum over the tables of: passes × bytes ÷ scan rate; bytes ÷ rewrite rate; rows ÷ index rate for each index; and changed
 * rows ÷ change rate, in proportion to the live rows where the whole table was scanned, else as many as in the copy.
 *
 * Bytes and rows are the live database's, from pg_class, pg_stat_user_tables and pg_table_size. The rates were measured on the
 * same server (measure-rates.ts) with pages in memory, one process and no other load: a cold or busy server takes longer.
 * Waiting for locks is not in it. A pass that a rewrite or an index build makes is in the rate of those. Null where a table
 * has no estimate, is made by a pending file, or was empty in the copy and is not live, so that nothing was seen.
 */
export function expectedSeconds(observed: Observed, before: RelationFacts, scale: Scale): number | null {
  const { rates, live, rowsInCopy } = scale;
  const oids = new Map([...before].map(([oid, { name }]) => [name, oid]));
  const sizeOf = (table: string) => live.get(oids.get(table) ?? 0);
  if (isUnseen(observed, oids, scale)) return null;
  let seconds = 0;
  for (const table of observed.rewritten) {
    const size = sizeOf(table);
    if (size === undefined) return null;
    seconds += size.bytes / rates.rewriteBytesPerSecond;
  }
  for (const { table } of observed.indexesBuilt) {
    const rows = sizeOf(table)?.rows ?? null;
    if (rows === null) return null;
    seconds += rows / rates.indexRowsPerSecond;
  }
  let copyRows = 0;
  let liveRows = 0;
  for (const { table, passes } of observed.scanned) {
    const size = sizeOf(table);
    if (size === undefined || passes === null) return null;
    const builds = observed.indexesBuilt.filter((one) => one.table === table).length;
    const included = builds + (observed.rewritten.includes(table) ? 1 : 0);
    seconds += (Math.max(0, passes - included) * size.bytes) / rates.scanBytesPerSecond;
    copyRows += rowsInCopy(oids.get(table) ?? 0);
    liveRows += size.rows ?? Number.NaN;
  }
  const growth = copyRows === 0 ? 1 : liveRows / copyRows;
  for (const { rows } of observed.changed) seconds += (rows * growth) / rates.changeRowsPerSecond;
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) / 1_000 : null;
}

/** A strong lock on a table that is empty in the copy only: what the statement would scan there was not seen. */
function isUnseen({ locks }: Observed, oids: ReadonlyMap<string, number>, { live, rowsInCopy }: Scale): boolean {
  return (locks ?? []).some(({ mode, table }) => {
    const oid = oids.get(table) ?? 0;
    const size = live.get(oid);
    return size !== undefined && !WEAK.has(mode) && size.rows !== 0 && rowsInCopy(oid) === 0;
  });
}
