// The one place where names from the catalog become part of an SQL text.

/** `"name"` with inner quotes doubled; refuses what PostgreSQL cannot have in a name. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new RangeError(`"${name}" cannot be an SQL identifier`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"schema"."name"`. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A text as an SQL literal, for the few commands that take no parameters (role passwords, comments). */
export function quoteLiteral(value: string): string {
  if (value.includes('\0')) throw new RangeError('an SQL literal cannot hold a zero byte');
  return value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;
}
