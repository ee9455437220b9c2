// Rows that the user gives for scratch databases: sql/seeds/<schema>.<table>.sql, for tables whose constraints the generated
// rows do not satisfy. The folder may be missing.
import { existsSync } from 'node:fs';
import { listSqlFiles, readSqlFile, sqlFolder } from '../../shared/sql-files.ts';

export interface Seeds {
  /** The SQL that inserts rows into the table, or undefined. */
  of(schema: string, table: string): string | undefined;
}

/** The files of the product's folder. */
export function productSeeds(): Seeds {
  const names = new Set(existsSync(sqlFolder('seeds')) ? listSqlFiles('seeds') : []);
  return {
    of: (schema, table) => {
      const name = `${schema}.${table}.sql`;
      return names.has(name) ? readSqlFile(`seeds/${name}`) : undefined;
    },
  };
}
