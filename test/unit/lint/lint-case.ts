// Runs lint on a case of the corpus: its files in memory, and a live catalog made from the statements that it names.
import { applyStatement } from '../../../functions/migrate/lint/apply-statement.ts';
import type { CatalogDomain, LintCatalog } from '../../../functions/migrate/lint/lint-catalog.ts';
import type { LintFinding } from '../../../functions/migrate/lint/lint-finding.ts';
import { lintMigrations } from '../../../functions/migrate/lint/lint-migrations.ts';
import { createRunSchema } from '../../../functions/migrate/lint/run-schema.ts';
import { readMigrations } from '../../../functions/shared/migration-files.ts';
import { splitMigration } from '../../../functions/shared/migration-statements.ts';
import type { LintExample } from '../../../local/docs/lint-examples/lint-example.ts';

const SIZES = {
  empty: { rows: 0, bytes: 0 },
  small: { rows: 500, bytes: 65_536 },
  large: { rows: 10_000_000, bytes: 2_147_483_648 },
};
const IRREVERSIBLE = '-- nightshift: irreversible because the case is about its up file\n';

/** The findings of the last migration of the case. */
export async function lintCase(example: LintExample): Promise<LintFinding[]> {
  const ups = [...(example.before ?? []), example.sql];
  const files = new Map<string, string>();
  ups.forEach((sql, index) => {
    const number = String(index + 1).padStart(4, '0');
    files.set(`${number}_case.up.sql`, sql);
    files.set(`${number}_case.down.sql`, (index === ups.length - 1 ? example.down : undefined) ?? IRREVERSIBLE);
  });
  const migrations = await readMigrations(
    { name: 'migrations', list: () => [...files.keys()].toSorted(), read: (name) => files.get(name) ?? '' },
    true,
  );
  const last = String(ups.length).padStart(4, '0');
  const catalog = example.live === undefined ? null : await catalogOf(example, example.live);
  return lintMigrations(migrations, catalog).filter(({ file }) => file.startsWith(`migrations/${last}`));
}

/** A catalog as read-lint-catalog.ts would read it of a database that those statements have made. */
export async function catalogOf(example: LintExample, live: string): Promise<LintCatalog> {
  const schema = createRunSchema(null);
  const domains: CatalogDomain[] = [];
  const { statements } = await splitMigration('live.sql', live);
  for (const statement of statements) {
    applyStatement(schema, statement, 'live.sql');
    if (!('CreateDomainStmt' in statement.tree)) continue;
    const [, name] = /create domain (\S+)/.exec(statement.text) ?? [];
    const [place, domain = ''] = (name ?? '').split('.');
    const made = schema.domain({ schema: place, name: domain });
    if (made) domains.push(made);
  }
  const invalid = new Set(example.invalid ?? []);
  return {
    serverVersion: example.serverVersion ?? 150_018,
    timeZone: example.timeZone ?? 'UTC',
    bypassesPolicies: false,
    searchPath: ['public'],
    defaultTablespace: 'pg_default',
    domains,
    functions: [],
    tables: [...schema.tables()].map((table) => ({
      ...table,
      ...SIZES[example.size ?? 'large'],
      isUnlogged: table.isUnlogged === true,
      accessMethod: 'heap',
      tablespace: '',
      columns: [...table.columns.values()],
      constraints: [...table.constraints.values()],
      indexes: [...table.indexes.values()].map((index) => ({ ...index, isValid: !invalid.has(index.name) })),
    })),
  };
}
