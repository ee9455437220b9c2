// Reads what lint wants to know of the live database, in seven queries. Changes nothing, and waits for no lock but that of
// somebody who holds a table exclusively while its size is asked.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type {
  CatalogColumn,
  CatalogConstraint,
  CatalogDomain,
  CatalogFunction,
  CatalogIndex,
  CatalogTable,
  LintCatalog,
} from './lint-catalog.ts';
import { provenNotNull } from './not-null-proof.ts';
import { parseExpression } from './parse-expression.ts';
import { modifiersOf } from './type-modifiers.ts';

interface ServerRow {
  server_version: number;
  time_zone: string;
  search_path: string;
  role_name: string;
  schemas: string[];
  default_tablespace: string;
  bypasses_policies: boolean;
}

interface TableRow {
  id: number;
  schema: string;
  name: string;
  kind: 'r' | 'p' | 'v' | 'm' | 'f';
  estimated_rows: number | null;
  bytes: number;
  is_unlogged: boolean;
  access_method: string;
  tablespace: string;
  row_security: boolean;
  forces_row_security: boolean;
  is_owned: boolean;
}

interface TypeRow {
  type_schema: string;
  type_name: string;
  is_array: boolean;
  modifier: number;
}

interface OfTable {
  table_id: number;
  name: string;
}

type ColumnRow = OfTable & TypeRow & { not_null: boolean };
type ConstraintRow = OfTable & {
  kind: 'p' | 'u' | 'f' | 'c' | 'x' | 'n';
  columns: string[];
  is_valid: boolean;
  condition: string | null;
  references: string | null;
};
type IndexRow = OfTable & {
  columns: string[];
  uses: string[];
  is_valid: boolean;
  is_unique: boolean;
  is_computed: boolean;
  of_constraint: boolean;
};
type FunctionRow = Omit<CatalogFunction, 'inlined'> & { inlined_body: string | null };
type DomainRow = TypeRow & { schema: string; name: string; is_constrained: boolean };

const TABLE_KINDS = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
} as const;
const CONSTRAINT_KINDS = {
  p: 'primary key',
  u: 'unique',
  f: 'foreign key',
  c: 'check',
  x: 'exclusion',
  n: 'not null',
} as const;

/** The catalog as the role of the session sees it; a failed query throws, so that nothing is taken for absent. */
export async function readLintCatalog(session: DatabaseSession): Promise<LintCatalog> {
  const [server] = (await session.query<ServerRow>(readSqlFile('migrate/lint-server.sql'))).rows;
  if (!server) throw new TypeError('lint-server.sql has answered no row');
  const { rows: tables } = await session.query<TableRow>(readSqlFile('migrate/lint-tables.sql'));
  const columns = byTable((await session.query<ColumnRow>(readSqlFile('migrate/lint-columns.sql'))).rows);
  const constraints = byTable((await session.query<ConstraintRow>(readSqlFile('migrate/lint-constraints.sql'))).rows);
  const indexes = byTable((await session.query<IndexRow>(readSqlFile('migrate/lint-indexes.sql'))).rows);
  const { rows: domains } = await session.query<DomainRow>(readSqlFile('migrate/lint-domains.sql'));
  const { rows: functions } = await session.query<FunctionRow>(readSqlFile('migrate/lint-functions.sql'));
  return {
    serverVersion: server.server_version,
    timeZone: server.time_zone,
    bypassesPolicies: server.bypasses_policies,
    searchPath: searchPathOf(server),
    defaultTablespace: server.default_tablespace,
    tables: await Promise.all(
      tables.map(
        async (row): Promise<CatalogTable> => ({
          schema: row.schema,
          name: row.name,
          kind: TABLE_KINDS[row.kind],
          rows: row.estimated_rows,
          bytes: row.bytes,
          isUnlogged: row.is_unlogged,
          accessMethod: row.access_method,
          tablespace: row.tablespace,
          rowSecurity: row.row_security,
          forcesRowSecurity: row.forces_row_security,
          isOwned: row.is_owned,
          columns: (columns.get(row.id) ?? []).map(columnOf),
          constraints: await Promise.all((constraints.get(row.id) ?? []).map(constraintOf)),
          indexes: (indexes.get(row.id) ?? []).map(indexOf),
        }),
      ),
    ),
    domains: domains.map(domainOf),
    functions: await Promise.all(functions.map(functionOf)),
  };
}

/** The parts of `"$user", public` that exist, `$user` being the role; pg_catalog is searched anyhow. */
function searchPathOf({ search_path, role_name, schemas }: ServerRow): string[] {
  const parts = search_path.match(/"(?:[^"]|"")+"|[^",\s]+/g) ?? [];
  const names = parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
  return names
    .map((name) => (name === '$user' ? role_name : name))
    .filter((name) => name !== 'pg_catalog' && schemas.includes(name));
}

function byTable<Row extends OfTable>(rows: readonly Row[]): Map<number, Row[]> {
  const found = new Map<number, Row[]>();
  for (const row of rows) {
    const those = found.get(row.table_id);
    if (those) those.push(row);
    else found.set(row.table_id, [row]);
  }
  return found;
}

function typeOf(row: TypeRow): CatalogColumn['type'] {
  return {
    schema: row.type_schema,
    name: row.type_name,
    isArray: row.is_array,
    modifiers: modifiersOf(row.type_name, row.modifier),
  };
}

function columnOf(row: ColumnRow): CatalogColumn {
  return { name: row.name, type: typeOf(row), notNull: row.not_null };
}

async function constraintOf(row: ConstraintRow): Promise<CatalogConstraint> {
  return {
    name: row.name,
    kind: CONSTRAINT_KINDS[row.kind],
    columns: row.columns,
    isValid: row.is_valid,
    provesNotNull: row.condition === null ? [] : await provenNotNull(row.condition),
    references: row.references ?? undefined,
  };
}

function indexOf(row: IndexRow): CatalogIndex {
  return {
    name: row.name,
    columns: row.columns,
    uses: row.uses,
    isValid: row.is_valid,
    isUnique: row.is_unique,
    isComputed: row.is_computed,
    ofConstraint: row.of_constraint,
  };
}

async function functionOf({ schema, name, volatility, inlined_body }: FunctionRow): Promise<CatalogFunction> {
  const inlined = inlined_body === null ? undefined : await parseExpression(inlined_body);
  return { schema, name, volatility, inlined };
}

function domainOf(row: DomainRow): CatalogDomain {
  return { schema: row.schema, name: row.name, base: typeOf(row), isConstrained: row.is_constrained };
}
