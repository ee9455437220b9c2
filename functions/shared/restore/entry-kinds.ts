// What the kinds of entries in a table of contents mean to a restore. The rules are pg_restore's own
// (pg_backup_archiver.c: _tocEntryRequired, _tocEntryRestorePass, identify_locking_dependencies).
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import { quoteIdentifier, quoteQualified } from '../quote-identifier.ts';

/** In this order, each after all of the one before it. */
export type RestorePass = 'main' | 'privileges' | 'last';

const OF_THE_ARCHIVE: ReadonlySet<string> = new Set(['ENCODING', 'STDSTRINGS', 'SEARCHPATH']);
const OF_THE_DATABASE: ReadonlySet<string> = new Set(['DATABASE', 'DATABASE PROPERTIES']);
const PRIVILEGES: ReadonlySet<string> = new Set(['ACL', 'ACL LANGUAGE', 'DEFAULT ACL']);
const NOTES: ReadonlySet<string> = new Set(['ACL', 'COMMENT', 'SECURITY LABEL']);
const LARGE_OBJECT_KINDS: ReadonlySet<string> = new Set(['BLOB', 'BLOBS', 'BLOB METADATA', 'BLOB COMMENTS']);

/** The tag, as ASCII: enough to tell what a note is about. */
function tagOf(entry: TocEntry): string {
  return entry.tag.toString('latin1');
}

/** Whether it becomes SQL at all: not what describes the archive, nor the database itself, which has another name here. */
export function isRestorable(entry: TocEntry): boolean {
  if (OF_THE_ARCHIVE.has(entry.desc) || OF_THE_DATABASE.has(entry.desc)) return false;
  return !(NOTES.has(entry.desc) && tagOf(entry).startsWith('DATABASE '));
}

/** Large objects, what they contain, and the notes about them. */
export function isOfLargeObjects(entry: TocEntry): boolean {
  return LARGE_OBJECT_KINDS.has(entry.desc) || (NOTES.has(entry.desc) && tagOf(entry).startsWith('LARGE OBJECT'));
}

/** Entries whose content lies in files of its own, which the restore streams; all others are SQL. */
export function isStreamed(entry: TocEntry): boolean {
  return entry.desc === 'TABLE DATA' || entry.desc === 'BLOBS';
}

/** Contents, not structure: what `pg_dump --schema-only` leaves out. */
export function isContent(entry: TocEntry): boolean {
  return (
    entry.desc === 'TABLE DATA' ||
    entry.desc === 'SEQUENCE SET' ||
    entry.desc === 'MATERIALIZED VIEW DATA' ||
    isOfLargeObjects(entry)
  );
}

export function isPrivileges(entry: TocEntry): boolean {
  return PRIVILEGES.has(entry.desc);
}

/** Event triggers and refreshed views come when everything else is there. */
export function restorePass(entry: TocEntry): RestorePass {
  if (PRIVILEGES.has(entry.desc)) return 'privileges';
  const isOfEventTrigger = NOTES.has(entry.desc) && tagOf(entry).startsWith('EVENT TRIGGER ');
  if (entry.desc === 'EVENT TRIGGER' || entry.desc === 'MATERIALIZED VIEW DATA' || isOfEventTrigger) return 'last';
  // Since 18: statistics of a materialized view, which is refreshed in this pass.
  if (entry.desc === 'STATISTICS DATA' && entry.section === 'post-data') return 'last';
  return 'main';
}

/** CREATE INDEX shares its table with other CREATE INDEX; whatever else comes after the rows may lock it exclusively. */
export function locksItsTables(entry: TocEntry): boolean {
  return entry.section === 'post-data' && entry.desc !== 'INDEX';
}

/** How an entry is called in messages: `INDEX "app"."notes_pkey"`. */
export function nameOfEntry(entry: TocEntry): string {
  const tag = entry.tag.toString('utf8');
  const namespace = entry.namespace?.toString('utf8') ?? '';
  return `${entry.desc} ${namespace === '' ? quoteIdentifier(tag) : quoteQualified(namespace, tag)}`;
}
