// Fills the templates of sql/purge/. What goes in are names from the catalog, quoted, and conditions made of such names.
import { readSqlFile } from '../../shared/sql-files.ts';

/** The statement of `sql/purge/<file>` with each {name} replaced; its comments, which may speak of a placeholder, left out. */
export function render(file: string, parts: Readonly<Record<string, string>>): string {
  const statement = readSqlFile(`purge/${file}`).replaceAll(/^ *--.*\n/gm, '');
  return statement.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new RangeError(`"${file}" asks for {${name}}, which nothing gives`);
    return part;
  });
}
