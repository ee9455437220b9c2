// Proves that a restore has brought everything back, so that a fast wrong one cannot win.
import type { Client } from 'pg';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import type { DataSet } from '../backup/data-sets.ts';

/** What is built on the rows. */
export interface BuiltObjects {
  indexes: number;
  constraints: number;
}

/** Of the schema public: valid indexes and constraints. */
export async function readBuiltObjects(client: Pick<Client, 'query'>): Promise<BuiltObjects> {
  const { rows } = await client.query<BuiltObjects>(
    `select
       (select count(*)::integer from pg_index join pg_class on pg_class.oid = indexrelid
         where relnamespace = 'public'::regnamespace and indisvalid) as indexes,
       (select count(*)::integer from pg_constraint
         where connamespace = 'public'::regnamespace and convalidated) as constraints`,
  );
  return rows[0] ?? { indexes: 0, constraints: 0 };
}

/** Throws unless every table has as many rows as were backed up, and all is built on them that was there. */
export async function proveRestore(
  client: Pick<Client, 'query'>,
  source: Pick<DataSet, 'tables'> & { built: BuiltObjects },
): Promise<void> {
  for (const { schema, name, rows: expected } of source.tables) {
    const { rows } = await client.query<{ n: string }>(`select count(*) as n from ${quoteQualified(schema, name)}`);
    const actual = Number(rows[0]?.n);
    if (actual !== expected) throw new Error(`"${name}" was restored with ${actual} rows instead of ${expected}`);
  }
  const built = await readBuiltObjects(client);
  if (built.indexes === source.built.indexes && built.constraints === source.built.constraints) return;
  throw new Error(
    `${built.indexes} indexes and ${built.constraints} constraints were restored instead of ${source.built.indexes} and ${source.built.constraints}`,
  );
}
