// The tables of a scratch database that rows can be put into, parents before the tables that refer to them.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface FillableColumn {
  readonly name: string;
  readonly number: number;
  /** Name of its type, of a domain that of its base type. */
  readonly type: string;
  /** As pg_type has them. */
  readonly category: string;
  readonly kind: string;
  readonly modifier: number;
  /** Of an array. */
  readonly element: string | null;
  /** Of an enum. */
  readonly labels: readonly string[] | null;
  /** Number of those of a composite type. */
  readonly attributes: number;
  readonly required: boolean;
  readonly has_default: boolean;
  /** False for a generated column and an identity that takes no value. */
  readonly given: boolean;
  readonly checks: readonly string[] | null;
}

export interface FillableForeignKey {
  readonly parent: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly keys: readonly string[];
}

export interface FillableTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly qualified: string;
  readonly isForced: boolean;
  readonly columns: readonly FillableColumn[];
  readonly foreignKeys: readonly FillableForeignKey[];
  readonly triggers: readonly { readonly name: string; readonly enabled: string }[];
}

interface TableRow {
  oid: string;
  schema: string;
  name: string;
  is_forced: boolean;
  columns: FillableColumn[] | null;
  foreign_keys: FillableForeignKey[] | null;
  triggers: { name: string; enabled: string }[] | null;
}

/** All of them; tables in a ring of foreign keys come in order of name. */
export async function readFillableTables(session: DatabaseSession): Promise<FillableTable[]> {
  const { rows } = await session.query<TableRow>(readSqlFile('migrate/fillable-tables.sql'));
  return parentsFirst(
    rows.map((row) => ({
      oid: Number(row.oid),
      schema: row.schema,
      name: row.name,
      qualified: quoteQualified(row.schema, row.name),
      isForced: row.is_forced,
      columns: row.columns ?? [],
      foreignKeys: row.foreign_keys ?? [],
      triggers: row.triggers ?? [],
    })),
  );
}

function parentsFirst(tables: readonly FillableTable[]): FillableTable[] {
  const ordered: FillableTable[] = [];
  const seen = new Set<number>();
  const add = (table: FillableTable) => {
    if (seen.has(table.oid)) return;
    seen.add(table.oid);
    for (const { parent } of table.foreignKeys) {
      const found = tables.find(({ oid }) => oid === parent);
      if (found) add(found);
    }
    ordered.push(table);
  };
  tables.forEach(add);
  return ordered;
}
