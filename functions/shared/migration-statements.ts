// Splits a migration file into its statements with PostgreSQL's own parser, and computes its checksum.
// Never by searching for semicolons: function bodies, quoted names and comments hold them too.
import { createHash } from 'node:crypto';
import type { Node } from 'libpg-query';
import { describeError, JobFailure } from './job-failure.ts';
import { migrationParser } from './migration-parser.ts';
import { excerptOf, firstCharacters, normaliseMigration, placeOf } from './migration-text.ts';

export interface MigrationStatement {
  /** From 1, in order of the file. */
  readonly number: number;
  readonly text: string;
  readonly firstLine: string;
  /** Where it begins in the file, both from 1; columns count characters. */
  readonly line: number;
  readonly column: number;
  readonly tree: Node;
}

export interface MigrationComment {
  /** With its `--`. */
  readonly text: string;
  readonly line: number;
}

export interface MigrationText {
  readonly statements: readonly MigrationStatement[];
  /** Comments that begin with `--`, in order; headers are among them. Text in strings and bodies is none. */
  readonly comments: readonly MigrationComment[];
  /** SHA-256 over the tokens, so that comments and spacing do not count and everything else does. */
  readonly checksum: string;
}

/** The statements and the checksum of a file; throws `migrate.files_wrong` with file:line:column for a syntax error. */
export async function splitMigration(file: string, written: string): Promise<MigrationText> {
  const { parse, scan, hasSqlDetails } = await migrationParser();
  const text = normaliseMigration(file, written);
  if (text.trim() === '') return { statements: [], comments: [], checksum: sha256('') };
  try {
    const { stmts = [] } = await parse(text);
    const bytes = Buffer.from(text, 'utf8');
    const placeAt = placesIn(bytes);
    const statements = stmts.map((raw, index): MigrationStatement => {
      // Offsets are bytes. Only the last statement has no length: it runs to the end of the file.
      const start = raw.stmt_location ?? 0;
      const end = raw.stmt_len ? start + raw.stmt_len : bytes.length;
      const statement = bytes.subarray(start, end).toString('utf8');
      const blank = /^\s*/.exec(statement)?.[0] ?? '';
      const trimmed = statement.trim();
      const place = placeAt(start + Buffer.byteLength(blank));
      if (!raw.stmt) throw new TypeError(`statement ${index + 1} of "${file}" has no tree`);
      return { number: index + 1, text: trimmed, firstLine: firstLineOf(trimmed), ...place, tree: raw.stmt };
    });
    const { tokens } = await scan(text);
    const words = tokens.filter(({ tokenName }) => !COMMENTS.has(tokenName)).map((token) => token.text);
    const comments = tokens
      .filter(({ tokenName }) => tokenName === 'SQL_COMMENT')
      .map((token) => ({
        text: token.text,
        line: placeAt(token.start).line,
      }));
    return { statements, comments, checksum: sha256(words.join(' ')) };
  } catch (error) {
    if (!hasSqlDetails(error)) throw error;
    throw syntaxFailure(file, text, error.sqlDetails?.cursorPosition ?? 0, error);
  }
}

/** `position` counts characters (code points) from 0. */
function syntaxFailure(file: string, text: string, position: number, error: unknown): JobFailure {
  const before = firstCharacters(text, position);
  const { line, column } = placeOf(before);
  const { problem, hint } = explainSyntax(before, text.slice(before.length)) ?? {
    problem: describeError(error),
    hint: 'correct the file',
  };
  return new JobFailure({
    code: 'migrate.files_wrong',
    problem: `${file}:${line}:${column}: ${problem}`,
    safeState: 'No migration was run',
    hint,
    excerpt: excerptOf(text, position),
    cause: error,
  });
}

/** What psql would have understood and the server does not; the parser has stopped between the two texts. */
function explainSyntax(before: string, rest: string): { problem: string; hint: string } | undefined {
  const command = /^\\[^\s;]*/.exec(rest)?.[0];
  if (command !== undefined && command !== '\\.') {
    return {
      problem: `"${command}" is a command of psql, not SQL`,
      hint: PSQL_INSTEAD[command] ?? 'leave it out: only SQL reaches the server',
    };
  }
  if (command === '\\.' || /\bcopy\b[^;]*\bfrom\s+stdin\b[^;]*;\s*$/i.test(before)) {
    return {
      problem: 'rows of a COPY … FROM STDIN are data for psql, not SQL',
      hint: 'write INSERT … VALUES or INSERT … SELECT',
    };
  }
  if (/^:['"]?\w/.test(rest)) {
    return { problem: 'a variable of psql (:name) is not SQL', hint: 'write the value itself' };
  }
  return undefined;
}

const PSQL_INSTEAD: Readonly<Record<string, string>> = {
  '\\i': 'put the SQL of that file here, or into a migration of its own',
  '\\ir': 'put the SQL of that file here, or into a migration of its own',
  '\\copy': 'write INSERT … VALUES or INSERT … SELECT',
  '\\c': 'leave it out: a migration is for one database',
  '\\connect': 'leave it out: a migration is for one database',
  '\\set': 'write the value itself where it is used',
};

const COMMENTS: ReadonlySet<string> = new Set(['SQL_COMMENT', 'C_COMMENT']);

/** Where bytes of a file are, of which many are asked: only the line itself is read for each. */
function placesIn(bytes: Buffer): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const line = bytes.subarray(starts[low], offset).toString('utf8');
    return { line: low + 1, column: Array.from(line).length + 1 };
  };
}

const LINE_FEED = 0x0a;

/** The first line of a statement, short enough for a message and a table row. */
export function firstLineOf(statement: string): string {
  const line = statement.trimStart().split('\n', 1)[0]?.trim() ?? '';
  return line.length > 200 ? `${line.slice(0, 197)}...` : line;
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
