// Lists the tables whose rows an archive holds: what the workers of a backup lock, read and store.
import { entryFileName } from './archive-file-names.ts';
import { parseCopyStatement } from './copy-statement.ts';
import type { Toc, TocEntry } from './toc-entry.ts';
import { tocFailure } from './toc-failure.ts';
import { createTocText } from './toc-text.ts';

export interface DumpedTable {
  readonly dumpId: number;
  /** In pg_class. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** In the order in which the rows must be written; empty for a table without columns. */
  readonly columns: readonly string[];
  /** As in toc.dat, without the suffix of the codec. */
  readonly fileName: string;
}

/**
 * The TABLE DATA entries in the order of the archive.
 *
 * The filter of an extension's configuration table (`pg_extension_config_dump` with a WHERE) is not in the archive.
 * Throws `client_tools.failed` when an entry has no COPY statement or one of another table, as with --load-via-partition-root.
 */
export function dumpedTables(toc: Toc): DumpedTable[] {
  const text = createTocText(toc);
  return toc.entries.filter(({ desc }) => desc === 'TABLE DATA').map((entry) => dumpedTable(entry, toc, text));
}

function dumpedTable(entry: TocEntry, { header }: Toc, text: (bytes: Buffer) => string): DumpedTable {
  const tag = text(entry.tag);
  const namespace = entry.namespace === null ? '' : text(entry.namespace);
  if (!entry.hasData || entry.copyStatement === null) {
    throw tocFailure(
      `the data of table "${namespace}"."${tag}" has no COPY statement but every table must have one`,
      'start pg_dump without --inserts',
    );
  }
  const { schema, name, columns } = parseCopyStatement(text(entry.copyStatement));
  if (schema !== namespace || name !== tag) {
    throw tocFailure(
      `the data of table "${namespace}"."${tag}" would be copied into "${schema}"."${name}" but must go into its own table`,
      'start pg_dump without --load-via-partition-root',
    );
  }
  return {
    dumpId: entry.dumpId,
    oid: entry.oid,
    schema,
    name,
    columns,
    fileName: entryFileName(entry, header.version),
  };
}
