// Which objects of the catalog a restore must bring back: all of them, unless a filter leaves some out. Pure.
import type { DumpedContents } from '../../shared/archive-toc/dumped-contents.ts';
import type { Toc } from '../../shared/archive-toc/toc-entry.ts';
import { createTocText } from '../../shared/archive-toc/toc-text.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import type { InventoryRow } from '../../shared/read-inventory.ts';
import { type FilterSettings, filterOptions } from './filter-options.ts';

type ObjectPlace = Pick<InventoryRow, 'kind' | 'schema' | 'relation'>;

/**
 * Tells of each object whether it is expected in the archive; undefined without a filter.
 *
 * Then everything is, whatever the table of contents says: an entry that it lost must be missed. With one, what
 * a pattern means is pg_dump's to say: a relation, and what hangs on it, is expected when the table of contents has it; what
 * else lies in a schema when it has anything of the schema; comments never. With only some schemas or tables included,
 * pg_dump leaves out what lies in no schema, and with some tables all that hangs on no relation.
 */
export function expectedObjects(
  settings: FilterSettings,
  toc: Toc,
  contents: DumpedContents,
): ((object: ObjectPlace) => boolean) | undefined {
  const leavesOut = filterOptions({ ...settings, EXCLUDE_TABLE_DATA: [] }).length > 0;
  if (!leavesOut) return undefined;
  const text = createTocText(toc);
  const schemas = new Set(
    toc.entries.flatMap(({ desc, tag, namespace }) => {
      if (desc === 'SCHEMA') return [text(tag)];
      return namespace === null ? [] : [text(namespace)];
    }),
  );
  const hasTablesOnly = settings.INCLUDE_TABLES.length > 0;
  const hasSomeOnly = hasTablesOnly || settings.INCLUDE_SCHEMAS.length > 0;
  return ({ kind, schema, relation }) => {
    if (kind === 'comment') return false;
    if (schema !== null && relation !== null) return contents.relations.has(quoteQualified(schema, relation));
    return schema === null ? !hasSomeOnly : !hasTablesOnly && schemas.has(schema);
  };
}
