// Reads the COPY statement of a TABLE DATA entry: which table, and which columns in which order.
// Names may hold quotes, dots, commas and parentheses, so it is read name by name and never searched.
import { tocFailure } from './toc-failure.ts';

export interface CopyStatement {
  readonly schema: string;
  readonly name: string;
  /** Without generated and dropped columns; empty for a table without columns. */
  readonly columns: readonly string[];
}

/** An unquoted name as pg_dump leaves it, or a quoted one with its quotes doubled. */
const IDENTIFIER = /([a-z_][a-z0-9_]*)|"((?:[^"\0]|"")+)"/y;

/** The parts of `COPY schema.table (columns) FROM stdin;`; throws `client_tools.failed` for any other text. */
export function parseCopyStatement(text: string): CopyStatement {
  let position = 0;

  function accept(words: string): boolean {
    if (!text.startsWith(words, position)) return false;
    position += words.length;
    return true;
  }
  function expect(words: string): void {
    if (!accept(words)) throw notACopy(text, position, JSON.stringify(words));
  }
  function identifier(): string {
    IDENTIFIER.lastIndex = position;
    const found = IDENTIFIER.exec(text);
    if (found === null) throw notACopy(text, position, 'a name');
    position = IDENTIFIER.lastIndex;
    return found[1] ?? (found[2] ?? '').replaceAll('""', '"');
  }

  expect('COPY ');
  const schema = identifier();
  expect('.');
  const name = identifier();
  expect(' ');
  const columns: string[] = [];
  // pg_dump leaves the parentheses away when there is no column, and the blank before them stays.
  if (accept('(')) {
    do columns.push(identifier());
    while (accept(', '));
    expect(')');
  }
  expect(' FROM stdin;\n');
  if (position !== text.length) throw notACopy(text, position, 'the end');
  return { schema, name, columns };
}

function notACopy(text: string, position: number, expected: string): Error {
  const start = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return tocFailure(
    `the COPY statement ${start} has something else at character ${position + 1} where ${expected} must be`,
    'start pg_dump without --inserts and without options that change the COPY statement',
  );
}
