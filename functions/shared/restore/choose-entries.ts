// Chooses which entries of an archive a restore makes: all, or a schema or table with what it cannot be without. Pure.
import type { DumpedTable } from '../archive-toc/dumped-tables.ts';
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import { JobFailure } from '../job-failure.ts';
import { quoteQualified } from '../quote-identifier.ts';
import { isContent, isOfLargeObjects, isRestorable, nameOfEntry } from './entry-kinds.ts';
import type { OpenArchive } from './open-archive.ts';

export interface Selection {
  /** Both empty: the whole database. */
  schemas: readonly string[];
  tables: readonly { schema: string; name: string }[];
  part: 'all' | 'schema-only' | 'data-only';
}

export interface ChosenEntries {
  /** In the order of the archive; those with streamed content are among them. */
  entries: readonly TocEntry[];
  /** Whose rows are restored. */
  tables: readonly DumpedTable[];
  /** What belongs to a chosen table but needs another one that is not chosen, by name. */
  leftOut: readonly string[];
  isWhole: boolean;
}

/** Kinds that hold rows or show them: chosen only when they are named. */
const RELATIONS: ReadonlySet<string> = new Set(['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE']);

/** The entries of a selection; throws `restore.selection_wrong` naming what the backup does not hold. */
export function chooseEntries(archive: OpenArchive, selection: Selection): ChosenEntries {
  const all = archive.toc.entries.filter(isRestorable);
  const isWhole = selection.schemas.length === 0 && selection.tables.length === 0;
  const { chosen, leftOut } = isWhole
    ? { chosen: new Set(all), leftOut: [] }
    : closeOver(all, namedEntries(archive, all, selection));
  const ofPart = (entry: TocEntry) => isOfPart(entry, selection);
  const entries = all.filter((entry) => chosen.has(entry) && ofPart(entry));
  const dumpIds = new Set(entries.map(({ dumpId }) => dumpId));
  return {
    entries,
    tables: archive.contents.tables.filter(({ dumpId }) => dumpIds.has(dumpId)),
    leftOut: leftOut.filter(ofPart).map(nameOfEntry),
    isWhole,
  };
}

/**
 * Rows alone of tables that were named go into tables that are in use: a sequence that went back to its old value would give
 * numbers out again. pg_restore --data-only --table leaves sequences as they are, too.
 */
function isOfPart(entry: TocEntry, { part, schemas, tables }: Selection): boolean {
  if (part === 'all') return true;
  if (part === 'schema-only') return !isContent(entry);
  return isContent(entry) && !(entry.desc === 'SEQUENCE SET' && tables.length > 0 && schemas.length === 0);
}

/** What was named, with its rows; throws when the archive has no such thing. */
function namedEntries(
  { manifest }: OpenArchive,
  all: readonly TocEntry[],
  { schemas, tables }: Selection,
): Set<TocEntry> {
  const of = (entry: TocEntry) => ({
    schema: entry.namespace?.toString('utf8') ?? '',
    tag: entry.tag.toString('utf8'),
  });
  const named = new Set<TocEntry>();
  const missing: string[] = [];
  for (const schema of schemas) {
    const found = all.filter((entry) => {
      const { schema: namespace, tag } = of(entry);
      // What a publication sends is said in its tables' schemas, but it belongs to the database.
      if (entry.desc.startsWith('PUBLICATION')) return false;
      return namespace === schema || (entry.desc === 'SCHEMA' && tag === schema);
    });
    if (found.length === 0) missing.push(`schema "${schema}"`);
    for (const entry of found) named.add(entry);
  }
  for (const { schema, name } of tables) {
    const found = all.filter((entry) => {
      const { schema: namespace, tag } = of(entry);
      return namespace === schema && tag === name && (RELATIONS.has(entry.desc) || entry.desc === 'TABLE DATA');
    });
    if (found.length === 0) missing.push(`table ${quoteQualified(schema, name)}`);
    for (const entry of found) named.add(entry);
  }
  addShown(named, all);
  if (missing.length === 0) return named;
  throw new JobFailure({
    code: 'restore.selection_wrong',
    problem: `backup ${manifest.backupId} holds no ${missing.join(', no ')}; it has ${manifest.tables.length} tables with rows`,
    safeState: 'Nothing was restored',
    hint: 'give names as they are in the catalog, with upper and lower case: --schema app, --table app.notes',
  });
}

/**
 * Adds the tables that named views show, and the partitions of named tables at all levels: a materialized view is made of the
 * rows of its tables, and the rows of a partitioned table are those of its partitions.
 */
function addShown(named: Set<TocEntry>, all: readonly TocEntry[]): void {
  const byDumpId = new Map(all.map((entry) => [entry.dumpId, entry]));
  const views = new Set([...named].filter(({ desc }) => desc === 'VIEW' || desc === 'MATERIALIZED VIEW'));
  addNeeded(views, byDumpId);
  for (const entry of views) named.add(entry);
  const attachments = all
    .filter(({ desc }) => desc === 'TABLE ATTACH')
    .map((entry) => {
      const tables = entry.dependencies.flatMap((dumpId) => byDumpId.get(dumpId) ?? []);
      // It has the name of the partition.
      const isPartition = (one: TocEntry) =>
        one.tag.equals(entry.tag) && (one.namespace ?? Buffer.alloc(0)).equals(entry.namespace ?? Buffer.alloc(0));
      return { parent: tables.find((one) => !isPartition(one)), partition: tables.find(isPartition) };
    });
  for (let before = -1; before !== named.size; ) {
    before = named.size;
    for (const { parent, partition } of attachments) {
      if (parent !== undefined && partition !== undefined && named.has(parent)) named.add(partition);
    }
  }
}

/** Adds what the named entries need, and what hangs on their tables; what would need another table is left out. */
function closeOver(
  all: readonly TocEntry[],
  named: ReadonlySet<TocEntry>,
): { chosen: Set<TocEntry>; leftOut: TocEntry[] } {
  const byDumpId = new Map(all.map((entry) => [entry.dumpId, entry]));
  const chosen = new Set(named);
  /** Whether it needs a table that is not chosen, also by way of something else: a part of an index by its index. */
  const needsOther = (entry: TocEntry): boolean => {
    const seen = new Set<number>();
    const waiting = [...entry.dependencies];
    for (let dumpId = waiting.pop(); dumpId !== undefined; dumpId = waiting.pop()) {
      const needed = byDumpId.get(dumpId);
      if (needed === undefined || seen.has(dumpId) || chosen.has(needed) || needed.desc === 'TABLE DATA') continue;
      if (RELATIONS.has(needed.desc)) return true;
      seen.add(dumpId);
      waiting.push(...needed.dependencies);
    }
    return false;
  };
  addNeeded(chosen, byDumpId);
  const leftOut = new Set<TocEntry>();
  // Entries come after what they depend on, but for notes about them: twice is enough for notes of notes.
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const entry of all) {
      if (chosen.has(entry) || leftOut.has(entry) || RELATIONS.has(entry.desc) || entry.desc === 'SCHEMA') continue;
      const needs = entry.dependencies.flatMap((dumpId) => byDumpId.get(dumpId) ?? []);
      if (!needs.some((one) => chosen.has(one) && hangsOn(entry, one))) continue;
      isChanged = true;
      if (needsOther(entry)) leftOut.add(entry);
      else {
        chosen.add(entry);
        addNeeded(chosen, byDumpId);
      }
    }
  }
  const isOwn = (entry: TocEntry) =>
    entry.dependencies.some((dumpId) => {
      const on = byDumpId.get(dumpId);
      return on !== undefined && chosen.has(on) && belongsTo(entry, on);
    });
  return { chosen, leftOut: [...leftOut].filter(isOwn) };
}

/** Whether an entry is part of what it depends on: an index of its table, a note about anything, the value of a sequence. */
function hangsOn(entry: TocEntry, on: TocEntry): boolean {
  if (entry.desc === 'COMMENT' || entry.desc === 'SECURITY LABEL' || entry.desc === 'ACL') return true;
  if (entry.desc === 'PUBLICATION TABLE') return false;
  // The owner of a sequence is among what the sequence needs.
  if (entry.desc === 'SEQUENCE SET' || entry.desc === 'SEQUENCE OWNED BY') return on.desc === 'SEQUENCE';
  if (isOfLargeObjects(entry)) return false;
  return RELATIONS.has(on.desc) || on.desc === 'INDEX' || on.desc === 'CONSTRAINT';
}

/** Kinds that are named after their table: `child child_doc_fkey`. */
const NAMED_AFTER_TABLE: ReadonlySet<string> = new Set([
  'CHECK CONSTRAINT',
  'CONSTRAINT',
  'DEFAULT',
  'FK CONSTRAINT',
  'POLICY',
  'RULE',
  'TRIGGER',
]);

/** Whether an entry that hangs on a table is a part of it, and not of another one that refers to it. */
function belongsTo(entry: TocEntry, table: TocEntry): boolean {
  if (!RELATIONS.has(table.desc) || entry.desc.endsWith(' ATTACH')) return false;
  if (!NAMED_AFTER_TABLE.has(entry.desc)) return true;
  const name = Buffer.concat([table.tag, Buffer.from(' ')]);
  return entry.tag.subarray(0, name.length).equals(name);
}

/** Whatever chosen entries depend on: types, functions, sequences, extensions, schemas, parents; rows are not among it. */
function addNeeded(chosen: Set<TocEntry>, byDumpId: ReadonlyMap<number, TocEntry>): void {
  const waiting = [...chosen];
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    for (const dumpId of entry.dependencies) {
      const needed = byDumpId.get(dumpId);
      if (needed === undefined || chosen.has(needed) || needed.desc === 'TABLE DATA') continue;
      chosen.add(needed);
      waiting.push(needed);
    }
  }
}

/** A selection in words, equal for equal ones. */
export function describeSelection({ schemas, tables, part }: Selection): string {
  const of = [
    ...schemas.toSorted().map((schema) => `schema "${schema}"`),
    ...tables.map(({ schema, name }) => `table ${quoteQualified(schema, name)}`).toSorted(),
  ];
  return `${of.length === 0 ? 'whole database' : of.join(', ')}${part === 'all' ? '' : `, ${part}`}`;
}
