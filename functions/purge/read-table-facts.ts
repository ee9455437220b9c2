// What the catalog says about the table of a policy, before anything of it is touched.
import type { DatabaseSession } from '../shared/database.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { RetentionPolicy } from './read-policies.ts';

export interface TableFacts {
  readonly table_oid: string;
  /** pg_class.relkind: r = table, p = partitioned table. */
  readonly kind: string;
  readonly column_type: string | null;
  readonly key_columns: readonly { readonly name: string; readonly type: string }[];
  readonly has_index: boolean;
  readonly bytes: number;
  readonly row_security_cuts: boolean;
  readonly may_select: boolean;
  readonly may_delete: boolean;
  readonly may_lock: boolean;
  readonly role_name: string;
}

/** The facts, or undefined when there is no such table. */
export async function readTableFacts(
  session: DatabaseSession,
  policy: RetentionPolicy,
): Promise<TableFacts | undefined> {
  const names = [policy.schema_name, policy.table_name, policy.timestamp_column];
  const { rows } = await session.query<TableFacts>(readSqlFile('purge/table-facts.sql'), names);
  return rows[0];
}
