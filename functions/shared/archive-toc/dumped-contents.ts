// Lists by kind what an archive restores besides definitions: tables, large objects, sequences, materialized views.
// Fails rather than leave out a data file that it does not know.

import { quoteQualified } from '../quote-identifier.ts';
import { entryFileName } from './archive-file-names.ts';
import { type DumpedTable, dumpedTables } from './dumped-tables.ts';
import type { Toc, TocEntry } from './toc-entry.ts';
import { inFigures, tocFailure } from './toc-failure.ts';
import { archiveEncoding, createTocText } from './toc-text.ts';

export interface DumpedObject {
  readonly dumpId: number;
  readonly schema: string;
  readonly name: string;
}

export interface DumpedSequence extends DumpedObject {
  /** As the server keeps it: a bigint, which a number could not hold. */
  readonly lastValue: string;
  readonly isCalled: boolean;
}

export interface LargeObjectGroup {
  readonly dumpId: number;
  /** The file that lists the group's large objects, as in toc.dat. */
  readonly fileName: string;
  /** In the order of the archive. */
  readonly oids: readonly number[];
}

export interface DumpedContents {
  readonly encoding: string;
  readonly tables: readonly DumpedTable[];
  /** One group before 1.16; since then one for each owner and privileges, of at most 1,000. */
  readonly largeObjects: readonly LargeObjectGroup[];
  /** Sequences whose value is set (SEQUENCE SET). */
  readonly sequences: readonly DumpedSequence[];
  /** Materialized views that are refreshed (MATERIALIZED VIEW DATA), in the order of the archive. */
  readonly materializedViews: readonly DumpedObject[];
  /** Tables, views, sequences, materialized views and foreign tables that are defined, as `"schema"."name"`. */
  readonly relations: ReadonlySet<string>;
  /** Number of entries by kind, as `{ "TABLE DATA": 17, … }`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Kinds whose data this product knows how to make. */
const KINDS_WITH_DATA: ReadonlySet<string> = new Set(['TABLE DATA', 'BLOBS']);

/** Everything by kind; throws `client_tools.failed` for data of an unknown kind and for what `dumpedTables` refuses. */
export function dumpedContents(toc: Toc): DumpedContents {
  const counts = new Map<string, number>();
  for (const { desc, hasData } of toc.entries) {
    if (hasData && !KINDS_WITH_DATA.has(desc)) {
      throw tocFailure(
        `the archive holds data of kind "${desc}" but only ${[...KINDS_WITH_DATA].join(' and ')} can be made`,
      );
    }
    counts.set(desc, (counts.get(desc) ?? 0) + 1);
  }
  return {
    encoding: archiveEncoding(toc),
    tables: dumpedTables(toc),
    largeObjects: largeObjectGroups(toc),
    sequences: dumpedSequences(toc),
    materializedViews: objectsOf(toc, 'MATERIALIZED VIEW DATA'),
    relations: new Set(
      RELATION_KINDS.flatMap((kind) => objectsOf(toc, kind)).map(({ schema, name }) => quoteQualified(schema, name)),
    ),
    counts,
  };
}

const RELATION_KINDS = ['TABLE', 'VIEW', 'SEQUENCE', 'MATERIALIZED VIEW', 'FOREIGN TABLE'] as const;

/** As pg_dump read them: a sequence knows no snapshot, so a value read at another time would be another value. */
function dumpedSequences(toc: Toc): DumpedSequence[] {
  const text = createTocText(toc);
  const entries = toc.entries.filter(({ desc }) => desc === 'SEQUENCE SET');
  return entries.map(({ dumpId, namespace, tag, definition }) => {
    const statement = definition?.toString('latin1') ?? '';
    const [, lastValue, isCalled] = /, (-?\d+), (true|false)\);\n$/.exec(statement) ?? [];
    if (!statement.startsWith('SELECT pg_catalog.setval(') || lastValue === undefined) {
      throw tocFailure(`entry ${inFigures(dumpId)} sets a sequence by another statement than setval`);
    }
    const schema = namespace === null ? '' : text(namespace);
    return { dumpId, schema, name: text(tag), lastValue, isCalled: isCalled === 'true' };
  });
}

function objectsOf(toc: Toc, kind: string): DumpedObject[] {
  const text = createTocText(toc);
  return toc.entries
    .filter(({ desc }) => desc === kind)
    .map(({ dumpId, namespace, tag }) => ({
      dumpId,
      schema: namespace === null ? '' : text(namespace),
      name: text(tag),
    }));
}

function largeObjectGroups({ header, entries }: Toc): LargeObjectGroup[] {
  const groups = entries.filter(({ desc }) => desc === 'BLOBS');
  if (header.version !== '1.16' && groups.length > 1) {
    throw tocFailure(
      `the archive has ${groups.length} entries BLOBS but version ${header.version} must have at most 1`,
    );
  }
  const all = entries.filter(({ desc }) => desc === 'BLOB').map(({ oid }) => oid);
  const metadata = new Map(entries.filter(({ desc }) => desc === 'BLOB METADATA').map((one) => [one.dumpId, one]));
  return groups.map((group) => ({
    dumpId: group.dumpId,
    fileName: entryFileName(group, header.version),
    oids: header.version === '1.16' ? oidsOfGroup(group, metadata) : all,
  }));
}

/** Since 1.16 the OIDs stand, one in a line, in the BLOB METADATA entry that the group depends on. */
function oidsOfGroup(group: TocEntry, metadata: ReadonlyMap<number, TocEntry>): number[] {
  const found = group.dependencies.flatMap((dumpId) => metadata.get(dumpId) ?? []);
  const lines = found[0]?.definition?.toString('latin1') ?? '';
  if (found.length !== 1 || !/^(?:[1-9]\d{0,9}\n)+$/.test(lines)) {
    throw tocFailure(
      `the large objects of entry ${inFigures(group.dumpId)} have ${found.length} lists of OIDs but must have 1 with a number in each line`,
    );
  }
  return lines.trimEnd().split('\n').map(Number);
}
