// Why a partition may not even be detached, asked before anything is done to it: then it stays as it is.

import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier, quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { inTransaction } from '../in-transaction.ts';
import { findHeld } from './find-held.ts';
import type { DropWork, Partition } from './partition-work.ts';

interface Reference {
  /** `rows`: only where a row is referenced. */
  kind: 'rows' | 'always';
  what: string;
  schema_name: string | null;
  table_name: string | null;
  referencing: string[] | null;
  referenced: string[] | null;
}

/** A legal hold, or something that reads or references the partition; undefined when it may go. */
export async function findObstacle(
  { session, table }: Pick<DropWork, 'session' | 'table'>,
  partition: Partition,
): Promise<string | undefined> {
  return await inTransaction(session, 'begin read only', async () => {
    const held = await findHeld(session, partition, table.table_oid);
    if (held !== undefined) return held;
    const { rows } = await session.query<Reference & Record<string, unknown>>(
      readSqlFile('purge/partition-references.sql'),
      [partition.table_oid],
    );
    for (const reference of rows) {
      // The server asks the same, but with a lock that keeps the writers of the referencing table waiting.
      const sql = referencedRowSql(reference, partition);
      if (sql === undefined) return `it is needed by ${reference.what}`;
      const found = await isReferenced(session, sql);
      if (found === true) return `rows of it are referenced by ${reference.what}`;
      if (found !== false) return `whether rows of it are referenced by ${reference.what} cannot be told: ${found}`;
    }
    return undefined;
  });
}

/** Or why it cannot be told; the transaction is then of no more use. */
async function isReferenced(session: DatabaseSession, sql: string): Promise<boolean | string> {
  try {
    const { rows } = await session.query<{ is_referenced: boolean }>(sql);
    return rows[0]?.is_referenced !== false;
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    return describeError(error);
  }
}

function referencedRowSql(reference: Reference, partition: Partition): string | undefined {
  const { kind, schema_name, table_name, referencing, referenced } = reference;
  if (kind === 'always' || !schema_name || !table_name || !referencing || !referenced) return undefined;
  const pairs = referencing.map(
    (column, position) => `child.${quoteIdentifier(column)} = parent.${quoteIdentifier(referenced[position] ?? '')}`,
  );
  const parent = quoteQualified(partition.schema_name, partition.table_name);
  return `select exists (select from ${quoteQualified(schema_name, table_name)} as child join ${parent} as parent on ${pairs.join(' and ')}) as is_referenced`;
}
