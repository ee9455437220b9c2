// The schema as it is at one statement of the run: the live catalog, if there is one, and what earlier statements made of it.
// apply-statement.ts changes it; the rules only ask.
import { type Layer, layer } from './layer.ts';
import type {
  CatalogColumn,
  CatalogConstraint,
  CatalogDomain,
  CatalogFunction,
  CatalogIndex,
  CatalogTable,
  LintCatalog,
} from './lint-catalog.ts';
import type { WrittenName } from './statement-parts.ts';

export interface RunTable {
  schema: string;
  name: string;
  kind: CatalogTable['kind'];
  /** The file that makes it; undefined for a table that was there before. */
  madeBy: string | undefined;
  /** Null: not known. */
  rows: number | null;
  bytes: number | null;
  isUnlogged: boolean | undefined;
  accessMethod: string | undefined;
  tablespace: string | undefined;
  rowSecurity: boolean;
  forcesRowSecurity: boolean;
  isOwned: boolean;
  /** Whether all columns, constraints and indexes are known, and not only those that the files added. */
  isWhole: boolean;
  columns: Map<string, CatalogColumn>;
  constraints: Map<string, CatalogConstraint>;
  indexes: Map<string, CatalogIndex>;
}

export interface RunSchema {
  readonly catalog: LintCatalog | null;
  /** Of the statement that comes next: SET LOCAL can change it. */
  timeZone: string | undefined;
  /** What SET LOCAL search_path of this transaction says; undefined: what the role has everywhere. */
  localPath: readonly string[] | undefined;
  /** What SET LOCAL has said ends with its transaction. */
  beginUnit(): void;
  /** The schema that a name means, whether written or found by the search path. */
  schemaOf(name: WrittenName): string;
  /** Undefined: neither the catalog nor a file of this run knows it. */
  table(name: WrittenName): RunTable | undefined;
  /** As table(), and makes one of which nothing is known. */
  knownTable(name: WrittenName): RunTable;
  putTable(table: RunTable): void;
  dropTable(name: WrittenName): void;
  /** The table that has an index of that name. */
  tableOfIndex(index: WrittenName): RunTable | undefined;
  domain(name: WrittenName): CatalogDomain | undefined;
  putDomain(domain: CatalogDomain): void;
  func(name: WrittenName): CatalogFunction | undefined;
  putFunction(made: CatalogFunction): void;
  tables(): Iterable<RunTable>;
  /** The same schema, whose later changes this one does not see: for a down script. */
  fork(): RunSchema;
}

const keyOf = (schema: string, name: string) => `${schema}.${name}`;

/** The schema before the first statement of the run. */
export function createRunSchema(catalog: LintCatalog | null): RunSchema {
  const tables = new Map<string, RunTable | null>();
  for (const table of catalog?.tables ?? []) tables.set(keyOf(table.schema, table.name), runTable(table));
  const domains = new Map<string, CatalogDomain>();
  for (const domain of catalog?.domains ?? []) domains.set(keyOf(domain.schema, domain.name), domain);
  const functions = new Map<string, CatalogFunction>();
  for (const func of catalog?.functions ?? []) functions.set(keyOf(func.schema, func.name), func);
  return schemaOver({
    catalog,
    tables: layer(tables),
    domains: layer(domains),
    functions: layer(functions),
    indexes: layer(indexesOf(tables.values())),
  });
}

interface Layers {
  catalog: LintCatalog | null;
  /** Null: dropped in this run. */
  tables: Layer<RunTable | null>;
  domains: Layer<CatalogDomain>;
  functions: Layer<CatalogFunction>;
  /** Key of the table by key of the index. */
  indexes: Layer<string>;
}

function schemaOver(layers: Layers, isFork = false): RunSchema {
  const { catalog, tables, domains, functions, indexes } = layers;
  const path = catalog === null || catalog.searchPath.length === 0 ? ['public'] : catalog.searchPath;
  const taken = new Set<string>();

  const resolve = (name: WrittenName, exists: (key: string) => boolean): string => {
    if (name.schema !== undefined) return name.schema;
    const searched = run.localPath ?? path;
    return searched.find((schema) => exists(keyOf(schema, name.name))) ?? searched[0] ?? 'public';
  };
  const keyOfTable = (name: WrittenName) =>
    keyOf(
      resolve(name, (key) => Boolean(tables.get(key))),
      name.name,
    );
  const table = (name: WrittenName): RunTable | undefined => {
    const key = keyOfTable(name);
    const found = tables.get(key) ?? undefined;
    // A fork changes its own copy.
    if (!found || !isFork || taken.has(key)) return found;
    const own = copyOf(found);
    tables.set(key, own);
    taken.add(key);
    return own;
  };
  const putTable = (one: RunTable) => {
    const key = keyOf(one.schema, one.name);
    taken.add(key);
    tables.set(key, one);
    for (const index of one.indexes.keys()) indexes.set(keyOf(one.schema, index), key);
  };
  const inServer = (name: string) => keyOf('pg_catalog', name);

  const run: RunSchema = {
    catalog,
    timeZone: catalog?.timeZone,
    localPath: undefined,
    beginUnit: () => {
      run.timeZone = catalog?.timeZone;
      run.localPath = undefined;
    },
    schemaOf: (name) => resolve(name, (key) => Boolean(tables.get(key))),
    table,
    knownTable: (name) => {
      const found = table(name);
      if (found) return found;
      const schema = resolve(name, () => false);
      const made = unknownTable(schema, name.name);
      putTable(made);
      return made;
    },
    putTable,
    dropTable: (name) => tables.set(keyOfTable(name), null),
    tableOfIndex: (index) => {
      const schema = resolve(index, (key) => indexes.get(key) !== undefined);
      const key = indexes.get(keyOf(schema, index.name));
      const found = key === undefined ? undefined : (tables.get(key) ?? undefined);
      if (found?.indexes.has(index.name)) return table(found);
      return undefined;
    },
    domain: (name) =>
      domains.get(
        keyOf(
          resolve(name, (key) => domains.get(key) !== undefined),
          name.name,
        ),
      ),
    putDomain: (domain) => domains.set(keyOf(domain.schema, domain.name), domain),
    func: (name) => {
      const inOwn = name.schema === undefined ? functions.get(inServer(name.name)) : undefined;
      return (
        inOwn ??
        functions.get(
          keyOf(
            resolve(name, (key) => functions.get(key) !== undefined),
            name.name,
          ),
        )
      );
    },
    putFunction: (made) => functions.set(keyOf(made.schema, made.name), made),
    *tables() {
      for (const one of tables.values()) if (one) yield one;
    },
    fork() {
      return schemaOver(
        {
          catalog,
          tables: layer(new Map(), tables),
          domains: layer(new Map(), domains),
          functions: layer(new Map(), functions),
          indexes: layer(new Map(), indexes),
        },
        true,
      );
    },
  };
  return run;
}

function runTable(table: CatalogTable): RunTable {
  return {
    ...table,
    madeBy: undefined,
    isWhole: true,
    columns: new Map(table.columns.map((column) => [column.name, column])),
    constraints: new Map(table.constraints.map((constraint) => [constraint.name, constraint])),
    indexes: new Map(table.indexes.map((index) => [index.name, index])),
  };
}

/** A table that is there, of which nothing else is known. */
export function unknownTable(schema: string, name: string): RunTable {
  return {
    schema,
    name,
    kind: 'table',
    madeBy: undefined,
    rows: null,
    bytes: null,
    isUnlogged: undefined,
    accessMethod: undefined,
    tablespace: undefined,
    rowSecurity: false,
    forcesRowSecurity: false,
    isOwned: true,
    isWhole: false,
    columns: new Map(),
    constraints: new Map(),
    indexes: new Map(),
  };
}

function copyOf(table: RunTable): RunTable {
  return {
    ...table,
    columns: new Map(table.columns),
    constraints: new Map(table.constraints),
    indexes: new Map(table.indexes),
  };
}

function indexesOf(tables: Iterable<RunTable | null>): Map<string, string> {
  const found = new Map<string, string>();
  for (const table of tables) {
    if (!table) continue;
    for (const name of table.indexes.keys()) found.set(keyOf(table.schema, name), keyOf(table.schema, table.name));
  }
  return found;
}
