// What the catalog says about the tables of a purge, before anything of them is touched.
import type { DatabaseSession } from '../../shared/database.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface TableColumn {
  readonly name: string;
  /** As format_type writes it, quoted where needed. */
  readonly type: string;
  readonly generated: boolean;
}

interface TableRow {
  readonly table_oid: string;
  readonly schema_name: string;
  readonly table_name: string;
  /** pg_class.relkind: r = table, p = partitioned table. */
  readonly kind: string;
  readonly descendants: readonly string[] | null;
  readonly ancestors: readonly string[] | null;
  readonly bytes: number;
  readonly estimated_rows: number;
  readonly columns: readonly TableColumn[];
  /** The primary key, or the columns of a unique index that names each row; null: nothing does. */
  readonly key_columns: readonly string[] | null;
  readonly primary_key: readonly string[];
  /** Columns that a whole btree index begins with. */
  readonly leading_columns: readonly string[];
  readonly row_security_cuts: boolean;
  readonly row_security_shows_all: boolean;
  readonly may_select: boolean;
  readonly may_delete: boolean;
  readonly may_lock: boolean;
  /** Columns that the role may update. */
  readonly updatable: readonly string[];
  readonly owner: string;
  readonly is_owner: boolean;
  readonly role_name: string;
}

export interface TableFacts extends TableRow {
  /** `schema.table` for people. */
  readonly label: string;
  /** Quoted, for statements. */
  readonly qualified: string;
}

/** The facts by oid; a table that is gone is missing. */
export async function readTables(
  session: DatabaseSession,
  oids: Iterable<string>,
): Promise<ReadonlyMap<string, TableFacts>> {
  const { rows } = await session.query<TableRow & Record<string, unknown>>(readSqlFile('purge/tables.sql'), [
    [...new Set(oids)],
  ]);
  return new Map(
    rows.map((row) => [
      row.table_oid,
      {
        ...row,
        label: `${row.schema_name}.${row.table_name}`,
        qualified: quoteQualified(row.schema_name, row.table_name),
      },
    ]),
  );
}

/** The type of a column by its name; throws for a name that is not of the table. */
export function columnType(table: TableFacts, name: string): string {
  const column = table.columns.find((one) => one.name === name);
  if (column === undefined) throw new RangeError(`${table.label} has no column "${name}"`);
  return column.type;
}
