// The COPY statement of a range. Names from the catalog are quoted; block numbers come from the plan.
import { quoteIdentifier, quoteQualified } from '../../shared/quote-identifier.ts';
import type { PlannedRange, PlannedTable } from '../plan/plan-contract.ts';

type NamedTable = Pick<PlannedTable, 'schema' | 'name' | 'columns' | 'condition'>;

/**
 * `COPY … TO STDOUT` of the rows whose heap block is in the range, in the columns of pg_dump's own COPY statement.
 *
 * The last range has no upper bound, so that no row can lie behind it. `SELECT *` would also give generated columns,
 * and without ONLY a parent would give the rows of its children a second time.
 */
export function rangeQuery(table: NamedTable, { blocks: [from, to] }: Pick<PlannedRange, 'blocks'>): string {
  const name = quoteQualified(table.schema, table.name);
  const columns = table.columns.map(quoteIdentifier).join(', ');
  const select = `SELECT ${columns} FROM ONLY ${name}`;
  const isWhole = from === 0 && to === null;
  if (table.condition !== null && table.condition !== '') {
    if (!isWhole) throw new RangeError(`table ${name} has a condition and must be copied in one range`);
    return `COPY (${select} ${table.condition}) TO STDOUT`;
  }
  if (!isWhole) {
    const upper = to === null ? '' : ` AND ctid < '(${blockNumber(to)},0)'`;
    return `COPY (${select} WHERE ctid >= '(${blockNumber(from)},0)'${upper}) TO STDOUT`;
  }
  return columns === '' ? `COPY (${select}) TO STDOUT` : `COPY ${name} (${columns}) TO STDOUT`;
}

function blockNumber(block: number): string {
  // A block number has 32 bits; 2^32 - 1 is none.
  if (!Number.isInteger(block) || block < 0 || block >= 0xffff_ffff)
    throw new RangeError(`${block} is not a block number`);
  return String(block);
}
