// Indexes that a failed CREATE or REINDEX INDEX CONCURRENTLY left behind. A unique one does not protect its column.
import { quoteQualified } from '../../shared/quote-identifier.ts';
import type { CheckDefinition, CheckRow } from '../check-definition.ts';

export interface InvalidIndexRow extends CheckRow {
  schema_name: string;
  index_name: string;
  table_name: string;
  is_unique: boolean;
  /** The copy that REINDEX CONCURRENTLY makes: the index it was to replace is still in force. */
  is_rebuild: boolean;
}

export const invalidIndexes: CheckDefinition<InvalidIndexRow> = {
  id: 'invalid-indexes',
  tier: 'daily',
  unit: 'count',
  sql: [{ sinceMajor: 14, file: 'invalid-indexes.sql' }],
  thresholds: {
    warning: 1,
    critical: null,
    source: 'PgHero and pgwatch list any; critical when it is unique and no other index stands in',
  },
  needs: 'pg_monitor',
  judge: (rows) => {
    const protecting = rows.find((row) => row.is_unique && !row.is_rebuild);
    const worst = protecting ?? rows[0];
    if (worst === undefined) return { status: 'ok', value: 0, message: 'every index is valid', fix: null };
    const name = `${worst.schema_name}.${worst.index_name}`;
    const more = rows.length > 1 ? `, and ${rows.length - 1} more` : '';
    const consequence = protecting
      ? 'it is unique, so duplicates may exist and a foreign key cannot use it'
      : 'it answers no query and still slows down every write';
    const qualified = quoteQualified(worst.schema_name, worst.index_name);
    return {
      status: protecting ? 'critical' : 'warning',
      value: rows.length,
      message: `index "${name}" on table "${worst.table_name}" is invalid: ${consequence}${more}`,
      fix: worst.is_rebuild
        ? `drop index concurrently ${qualified}; -- lock: SHARE UPDATE EXCLUSIVE on the table; reads and writes go on`
        : `reindex index concurrently ${qualified}; -- lock: SHARE UPDATE EXCLUSIVE on the table; reads and writes go on`,
    };
  },
};
