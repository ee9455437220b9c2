// What lint knows of a live database: read once by read-lint-catalog.ts, or written down by a test. Plain facts, no rules.
import type { Node } from 'libpg-query';

/** `[]` for a type without modifiers; `varchar(20)` is `[20]`, `numeric(10,2)` is `[10, 2]`. */
export type TypeModifiers = readonly number[];

export interface CatalogType {
  /** `pg_catalog` for the types of the server. */
  readonly schema: string;
  /** As in pg_type, without the underscore of an array: `int4`, `varchar`, `bpchar`. */
  readonly name: string;
  readonly isArray: boolean;
  readonly modifiers: TypeModifiers;
}

export interface CatalogColumn {
  readonly name: string;
  readonly type: CatalogType;
  readonly notNull: boolean;
}

export interface CatalogConstraint {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclusion' | 'not null';
  readonly columns: readonly string[];
  readonly isValid: boolean;
  /** Columns that a check proves to be not null: its condition is `column IS NOT NULL`, or such parts joined by AND. */
  readonly provesNotNull: readonly string[];
  /** The table that a foreign key points to, as `schema.name`. */
  readonly references: string | undefined;
}

export interface CatalogIndex {
  readonly name: string;
  /** Leading columns; an expression is an empty text. */
  readonly columns: readonly string[];
  /** Every column that it depends on, those in expressions and in its predicate too. */
  readonly uses: readonly string[];
  readonly isValid: boolean;
  readonly isUnique: boolean;
  /** It has an expression or a predicate, so the server builds it anew after a change of a type that it uses. */
  readonly isComputed: boolean;
  /** It belongs to a constraint and goes only with it. */
  readonly ofConstraint: boolean;
}

export interface CatalogTable {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  /** The estimate of the server; null when it was never analyzed. Of a partitioned table: with its partitions. */
  readonly rows: number | null;
  /** Without indexes; exact. Of a partitioned table: with its partitions. */
  readonly bytes: number;
  readonly isUnlogged: boolean;
  readonly accessMethod: string;
  readonly tablespace: string;
  /** Row level security is on. */
  readonly rowSecurity: boolean;
  /** Also for the owner. */
  readonly forcesRowSecurity: boolean;
  /** The role of migrate owns the table, itself or by membership. */
  readonly isOwned: boolean;
  readonly columns: readonly CatalogColumn[];
  readonly constraints: readonly CatalogConstraint[];
  readonly indexes: readonly CatalogIndex[];
}

export interface CatalogDomain {
  readonly schema: string;
  readonly name: string;
  readonly base: CatalogType;
  /** It has a CHECK or NOT NULL, or one of the domains that it is based on has. */
  readonly isConstrained: boolean;
}

export interface CatalogFunction {
  readonly schema: string;
  readonly name: string;
  /** Of the most volatile one of that name. */
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** What the server puts in place of a call of this function in SQL; it then decides instead of the volatility. */
  readonly inlined: Node | undefined;
}

export interface LintCatalog {
  /** As `server_version_num`: 150018. */
  readonly serverVersion: number;
  /** Of the sessions of migrate. */
  readonly timeZone: string;
  /** The role of migrate is superuser or has BYPASSRLS. */
  readonly bypassesPolicies: boolean;
  /** Where names without a schema are looked for and made, in order. */
  readonly searchPath: readonly string[];
  /** Of the database, which tables that name none are in. */
  readonly defaultTablespace: string;
  readonly tables: readonly CatalogTable[];
  readonly domains: readonly CatalogDomain[];
  readonly functions: readonly CatalogFunction[];
}
