// Reads the user's own assertions (sql/drill/*.sql): each one query that must return no row of a restored database.
// A file that could do anything else than be asked is refused before a drill begins.
import { existsSync } from 'node:fs';
import { JobFailure } from '../../shared/job-failure.ts';
import { listSqlFiles, readSqlFile, sqlFolder } from '../../shared/sql-files.ts';

export interface Assertion {
  /** Name of the file. */
  file: string;
  /** One query, without a semicolon behind it. */
  query: string;
}

const FOLDER = 'drill';

/** Comments, strings, quoted names and dollar quotes: what may hold a semicolon that ends nothing. Not nested comments. */
const OPAQUE = /--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([\p{L}_][\p{L}\p{N}_]*)?\$[\s\S]*?\$\1\$/gu;
const ESCAPED_STRING = /\b[eE]'(?:[^'\\]|''|\\[\s\S])*'/g;
const COMMENT = /\/\*(?:(?!\/\*|\*\/)[\s\S])*\*\//g;
const FIRST_WORD = /^[\s(]*(select|with|values|table)\b/i;

/** In order of their names; throws `drill.assertion_refused` for the first that is not one query. */
export function readAssertions(): Assertion[] {
  if (!existsSync(sqlFolder(FOLDER))) return [];
  return listSqlFiles(FOLDER).map((file) => parseAssertion(file, readSqlFile(`${FOLDER}/${file}`)));
}

/** The assertion of a file; throws `drill.assertion_refused` unless it is one SELECT, VALUES, TABLE or WITH. */
export function parseAssertion(file: string, text: string): Assertion {
  // Same length, so that a place in one is the same place in the other.
  const blank = (found: string) => ' '.repeat(found.length);
  let visible = text.replaceAll(ESCAPED_STRING, blank).replaceAll(OPAQUE, blank);
  for (let before = ''; before !== visible; ) {
    before = visible;
    visible = visible.replaceAll(COMMENT, blank);
  }
  const end = visible.indexOf(';');
  if (end !== -1 && visible.slice(end + 1).trim() !== '') throw refused(file, 'holds more than one statement');
  const word = FIRST_WORD.exec(visible);
  if (word === null) {
    const first = /^\s*(\w+)/.exec(visible)?.[1];
    throw refused(file, first === undefined ? 'holds no statement' : `begins with "${first}"`);
  }
  return { file, query: end === -1 ? text : text.slice(0, end) };
}

function refused(file: string, problem: string): JobFailure {
  return new JobFailure({
    code: 'drill.assertion_refused',
    problem: `assertion "sql/drill/${file}" ${problem}; it must be one query that begins with SELECT, WITH, VALUES or TABLE`,
    safeState: 'Nothing was restored',
    hint: 'put each query into a file of its own, without BEGIN and COMMIT',
  });
}
