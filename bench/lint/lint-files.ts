// The migrations that the benchmark of lint reads: the examples of the docs again and again, each time with other schemas, and
// a catalog of a size that a large application has.
import type { CatalogTable, LintCatalog } from '../../functions/migrate/lint/lint-catalog.ts';
import { splitMigration } from '../../functions/shared/migration-statements.ts';
import { lintExamples } from '../../local/docs/lint-examples/all-examples.ts';

export interface LintFile {
  readonly name: string;
  readonly text: string;
}

/** Up and down files with at least that many statements in the up files. */
export async function lintFiles(atLeast: number): Promise<{ files: LintFile[]; statements: number }> {
  const texts = Object.values(lintExamples).flatMap(({ bad, good }) => [bad.sql, good.sql]);
  const counts = await Promise.all(
    texts.map(async (text) => (await splitMigration('example', text)).statements.length),
  );
  const files: LintFile[] = [];
  let statements = 0;
  for (let index = 0; statements < atLeast; index += 1) {
    const text = texts[index % texts.length] ?? '';
    const number = String(index + 1).padStart(4, '0');
    const schema = `app${Math.floor(index / texts.length)}`;
    files.push(
      { name: `${number}_example.up.sql`, text: `${text.replaceAll(/\bapp\./g, `${schema}.`)}\n` },
      {
        name: `${number}_example.down.sql`,
        text: '-- nightshift: irreversible because the benchmark reads up files\n',
      },
    );
    statements += counts[index % texts.length] ?? 0;
  }
  return { files, statements };
}

/** A catalog with that many tables of twelve columns, three indexes and four constraints each. */
export function largeCatalog(tables: number): LintCatalog {
  return {
    serverVersion: 150_018,
    timeZone: 'UTC',
    bypassesPolicies: false,
    searchPath: ['public'],
    defaultTablespace: 'pg_default',
    domains: [],
    functions: [],
    tables: Array.from({ length: tables }, (_, index) => tableOf(`table_${index}`)),
  };
}

function tableOf(name: string): CatalogTable {
  const columns = Array.from({ length: 12 }, (_, index) => `column_${index}`);
  return {
    schema: 'app0',
    name,
    kind: 'table',
    rows: 1_000_000,
    bytes: 1_073_741_824,
    isUnlogged: false,
    accessMethod: 'heap',
    tablespace: '',
    rowSecurity: false,
    forcesRowSecurity: false,
    isOwned: true,
    columns: columns.map((column) => ({
      name: column,
      type: { schema: 'pg_catalog', name: 'text', isArray: false, modifiers: [] },
      notNull: false,
    })),
    constraints: columns.slice(0, 4).map((column) => ({
      name: `${name}_${column}_check`,
      kind: 'check',
      columns: [column],
      isValid: true,
      provesNotNull: [],
      references: undefined,
    })),
    indexes: columns.slice(0, 3).map((column) => ({
      name: `${name}_${column}_idx`,
      columns: [column],
      uses: [column],
      isValid: true,
      isUnique: false,
      isComputed: false,
      ofConstraint: false,
    })),
  };
}
