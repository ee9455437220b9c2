// A table, or one row of it, as a person names it: [schema.]table[:key].
import { refuse } from '../login/parse-login.ts';

export interface RowName {
  /** Undefined: the only schema that has such a table. */
  schema: string | undefined;
  table: string;
  /** The primary key as text, of several columns as a JSON array of texts; undefined: the table. */
  key: string | undefined;
}

const NAME = /"(?:[^"]|"")+"|[^".:\s]+/.source;
const ROW = new RegExp(`^(?:(?<schema>${NAME})\\.)?(?<table>${NAME})(?::(?<key>.+))?$`, 's');

/** Names are taken as they are, without folding; in double quotes they may hold dots and colons. */
export function parseRowName(option: string, given: string): RowName {
  const { schema, table, key } = ROW.exec(given)?.groups ?? {};
  // What stands behind the colon is the key of a person, and goes into no message.
  if (table === undefined)
    throw refuse(`--${option} is no [schema.]table[:key]`, 'as users:42, app.users:42 or "Odd.name":42');
  return { schema: schema === undefined ? undefined : unquoted(schema), table: unquoted(table), key };
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
