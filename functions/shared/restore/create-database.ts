// Makes the database to restore into, with the encoding and the locale of the one that was backed up.
import type { Toc } from '../archive-toc/toc-entry.ts';
import type { DatabaseSession } from '../database.ts';
import { describeError, JobFailure } from '../job-failure.ts';
import { sqlState } from '../postgres-errors.ts';
import { quoteIdentifier, quoteLiteral } from '../quote-identifier.ts';

/** Options of CREATE DATABASE that say how text is stored and sorted; all others belong to the old server. */
const KEPT_OPTIONS: ReadonlySet<string> = new Set([
  'ENCODING',
  'LOCALE_PROVIDER',
  'LOCALE',
  'LC_COLLATE',
  'LC_CTYPE',
  'ICU_LOCALE',
  'ICU_RULES',
  'BUILTIN_LOCALE',
]);
/** The option with the version that brought it. */
const SINCE_15: ReadonlySet<string> = new Set(['LOCALE_PROVIDER', 'ICU_LOCALE']);

export interface DatabaseOption {
  name: string;
  value: string;
  isWord: boolean;
}

/**
 * The kept options of the archive's CREATE DATABASE, in its order; none when the archive has none.
 *
 * The statement is pg_dump's: a name, then `WITH TEMPLATE = template0` and pairs of a word and a word or an SQL string.
 */
export function databaseOptions({ entries }: Pick<Toc, 'entries'>): DatabaseOption[] {
  const statement = entries.find(({ desc }) => desc === 'DATABASE')?.definition?.toString('utf8') ?? '';
  const head = /^CREATE DATABASE (?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+") WITH TEMPLATE = template0/.exec(statement);
  if (head === null) return [];
  const options: DatabaseOption[] = [];
  const OPTION = / ([A-Z_]+) = (?:'((?:[^']|'')*)'|(\w+)|"(?:[^"]|"")*")/y;
  OPTION.lastIndex = head[0].length;
  for (let found = OPTION.exec(statement); found !== null; found = OPTION.exec(statement)) {
    const [, name = '', text, word] = found;
    const value = text === undefined ? word : text.replaceAll("''", "'");
    if (KEPT_OPTIONS.has(name) && value !== undefined) options.push({ name, value, isWord: text === undefined });
  }
  return options;
}

/**
 * Creates the empty database `name`; `encoding` is that of the manifest, for an archive that says nothing itself.
 *
 * Throws `restore.locale_missing` when this server does not know the locale.
 */
export async function createDatabaseFor(
  session: DatabaseSession,
  name: string,
  { toc, encoding, serverMajor }: { toc: Pick<Toc, 'entries'>; encoding: string; serverMajor: number },
): Promise<void> {
  const options = databaseOptions(toc).filter((one) => serverMajor >= 15 || !SINCE_15.has(one.name));
  const known = options.length > 0 ? options : [{ name: 'ENCODING', value: encoding, isWord: false }];
  const text = known.map((one) => `${one.name.toLowerCase()} = ${one.isWord ? one.value : quoteLiteral(one.value)}`);
  try {
    await session.query(`create database ${quoteIdentifier(name)} template = template0 ${text.join(' ')}`);
  } catch (error) {
    // 22023: the locale is not known; 42809: it does not fit the encoding; 0A000: this build has no ICU.
    if (!['22023', '42809', '0A000'].includes(sqlState(error) ?? '')) throw error;
    throw new JobFailure({
      code: 'restore.locale_missing',
      problem: `this server cannot make a database with ${text.join(', ')}: ${describeError(error)}`,
      safeState: 'Nothing was created',
      hint: 'install that locale on the server, or create the database by hand with another one and restore into it',
      cause: error,
    });
  }
}
