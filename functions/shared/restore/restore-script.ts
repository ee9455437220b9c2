// The SQL of a restore, written by stock pg_restore from the table of contents alone and cut into one piece per entry.
// No definition is ever written here: what is sent to the server is what pg_restore would have sent.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { runPgRestore } from '../archive-toc/run-pg-restore.ts';
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import { tocFailure } from '../archive-toc/toc-failure.ts';
import type { ClientTools } from '../postgres-client-tools.ts';
import { ArchiveDamage } from './archive-damage.ts';
import { isStreamed } from './entry-kinds.ts';
import type { OpenArchive } from './open-archive.ts';

export interface ScriptOptions {
  /** `--no-owner`: everything belongs to the role that restores. */
  noOwner: boolean;
  /** `--no-privileges`: no GRANT and REVOKE. */
  noPrivileges: boolean;
  /** `--no-tablespaces`: everything goes into the default tablespace of the database. */
  noTablespaces: boolean;
}

export interface RestoreScript {
  /** What every session of the restore sets first. */
  settings: string[];
  /** By dump ID; `sql` is whole statements. Without the entries that pg_restore leaves out by the options. */
  statements: ReadonlyMap<number, string>;
}

/** What pg_restore writes before each entry with --verbose, up to the empty line before the statements. */
const HEAD =
  /^--\n-- TOC entry (\d+) \(class \d+ OID \d+\)\n(?:-- Dependencies:[ \d]*\n)?-- (?:Data for )?Name: [^\n]*\n--\n\n/gm;
/** Written between two entries when it changes; it goes for all that follow. */
const KEPT_SETTING = /(?:^|\n)(SET default_(tablespace|table_access_method) = [^\n]*;)\n*$/;

/**
 * Lets pg_restore write the SQL of the entries, which must not be streamed ones, and cuts it.
 *
 * The definition of each entry is looked for where its piece begins, and the next head only behind it: the body of a function
 * may hold anything. Throws ArchiveDamage for what pg_restore refuses or what cannot be cut.
 */
export async function writeScript(
  archive: OpenArchive,
  entries: readonly TocEntry[],
  options: ScriptOptions & { tools: ClientTools; serverMajor: number; signal: AbortSignal },
): Promise<RestoreScript> {
  const { folder, manifest } = archive;
  const list = join(folder, 'entries.list');
  await writeFile(
    list,
    entries
      .filter((one) => !isStreamed(one))
      .map(({ dumpId }) => `${dumpId};\n`)
      .join(''),
  );
  const written = await runPgRestore(
    options.tools,
    [
      '--verbose',
      '--file=-',
      `--use-list=${list}`,
      ...(options.noOwner ? ['--no-owner'] : []),
      ...(options.noPrivileges ? ['--no-privileges'] : []),
      ...(options.noTablespaces ? ['--no-tablespaces'] : []),
      folder,
    ],
    buffer,
    { signal: options.signal, during: 'while it wrote the SQL of the restore', safeState: 'Nothing was restored' },
  );
  const damage = (actual: string) =>
    new ArchiveDamage(manifest.backupId, [
      { what: 'archive file "toc.dat"', expected: 'SQL that can be read by pg_restore', actual },
    ]);
  if ('refusal' in written) throw damage(written.refusal);
  const script = cutScript(decodeScript(written.output), entries);
  if (typeof script === 'string') throw damage(script);
  return { ...script, settings: script.settings.filter((one) => isKnownSetting(one, options.serverMajor)) };
}

/** The text; throws `client_tools.failed` for bytes that are not UTF8: a guess would change names and constants. */
export function decodeScript(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw tocFailure(
      'the definitions of the archive (of a SQL_ASCII database) hold bytes that are not UTF8',
      'restore it by pg_restore itself: docs/restore.md, steps 1 to 6',
    );
  }
}

/** The client's encoding is set by the client; the timeout of transactions came with 17. */
function isKnownSetting(statement: string, serverMajor: number): boolean {
  if (statement.startsWith('SET client_encoding')) return false;
  return serverMajor >= 17 || !statement.startsWith('SET transaction_timeout');
}

/** The pieces, or in words why the text is not what pg_restore writes of these entries. */
export function cutScript(text: string, entries: readonly TocEntry[]): RestoreScript | string {
  const byDumpId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const statements = new Map<number, string>();
  const kept = new Map<string, string>();
  let settings: string[] = [];
  /** `after` is where its definition ends: what that holds is nobody else's. */
  let open: { dumpId: number; from: number; after: number } | undefined;
  const close = (to: number) => {
    const { from, after } = open ?? { from: 0, after: 0 };
    const before = [...kept.values()].join('');
    const body = text.slice(from, after) + withoutKept(text.slice(after, to), kept);
    const whole = body.trimEnd() === '' ? '' : `${body.trimEnd()}\n`;
    if (open === undefined) settings = settingsOf(whole);
    else statements.set(open.dumpId, before + whole);
  };
  HEAD.lastIndex = 0;
  for (let head = HEAD.exec(text); head !== null; head = HEAD.exec(text)) {
    const entry = byDumpId.get(Number(head[1]));
    if (entry === undefined) return `it writes entry ${head[1]}, which was not asked for`;
    if (statements.has(entry.dumpId) || open?.dumpId === entry.dumpId) return `it writes entry ${head[1]} twice`;
    close(head.index);
    const from = HEAD.lastIndex;
    const definition = entry.definition?.toString('utf8') ?? '';
    if (text.startsWith(definition, from)) HEAD.lastIndex += definition.length;
    open = { dumpId: entry.dumpId, from, after: HEAD.lastIndex };
  }
  const end = text.lastIndexOf('\n-- Completed on ');
  if (end === -1 || end < (open?.after ?? 0)) return 'its SQL has no end';
  close(end);
  return { settings, statements };
}

/** Takes the settings at the end of a piece out of it and keeps them for the following ones. */
function withoutKept(piece: string, kept: Map<string, string>): string {
  let rest = piece;
  const found: [name: string, statement: string][] = [];
  for (let one = KEPT_SETTING.exec(rest); one !== null; one = KEPT_SETTING.exec(rest)) {
    found.unshift([one[2] ?? '', `${one[1]}\n`]);
    rest = rest.slice(0, one.index);
  }
  for (const [name, statement] of found) kept.set(name, statement);
  return rest;
}

/** The statements before the first entry; comments and what only psql reads are left out. */
function settingsOf(preamble: string): string[] {
  return preamble.split('\n').filter((line) => /^(SET |SELECT pg_catalog\.set_config\()/.test(line));
}
