// The legal holds in force, read inside the transaction of each batch. A hold wins over any policy.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { sqlState } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { columnType, type TableFacts } from '../links/read-tables.ts';

export interface LegalHold {
  readonly holdId: string;
  readonly tableOid: string;
  /** Undefined: the whole table is held. */
  readonly key: string | undefined;
  readonly isSubject: boolean;
}

/**
 * All holds in force, in order of their number.
 *
 * Throws `purge.refused` when the table of one is not there: where it was renamed, its rows would lose their hold unseen.
 */
export async function readHolds(session: DatabaseSession): Promise<LegalHold[]> {
  const { rows } = await session.query<{
    hold_id: string;
    table_oid: string | null;
    table_name: string;
    key_value: string | null;
    is_subject: boolean;
  }>(readSqlFile('purge/holds.sql'));
  return rows.map((row) => {
    if (row.table_oid === null)
      throw refuse(
        `legal hold ${row.hold_id} is on table "${row.table_name}", which does not exist (any more): what it holds cannot be told`,
      );
    return {
      holdId: row.hold_id,
      tableOid: row.table_oid,
      key: row.key_value ?? undefined,
      isSubject: row.is_subject,
    };
  });
}

/**
 * The key as one text for each column of the primary key.
 *
 * Throws `purge.refused` for a table without one, and for a text that cannot be such a key.
 */
export function parseKey(table: TableFacts, key: string, whose: string): readonly string[] {
  const columns = table.primary_key.length;
  if (columns === 0) throw refuse(`${whose} names a row of ${table.label}, which has no primary key`);
  if (columns === 1) return [key];
  try {
    const parts: unknown = JSON.parse(key);
    if (Array.isArray(parts) && parts.length === columns && parts.every((part) => typeof part === 'string'))
      return parts;
  } catch {
    // Said below: what it is instead is a value of a row, and goes into no message.
  }
  throw refuse(
    `${whose} must name the ${columns} key columns of ${table.label} as a JSON array of ${columns} texts, as ["a", "7"]`,
  );
}

/** Throws `purge.refused` when a key is no value of the types of the key columns: what it means to name cannot be told. */
export async function requireKeys(
  session: DatabaseSession,
  table: TableFacts,
  keys: readonly (readonly string[])[],
  whose: string,
): Promise<void> {
  await session.query('savepoint keys');
  try {
    for (const [index, column] of table.primary_key.entries()) {
      // The type's name comes from format_type of the catalog, which quotes it.
      await session.query(`select $1::${columnType(table, column)}[]`, [keys.map((key) => key[index])]);
    }
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    const types = table.primary_key.map((column) => columnType(table, column)).join(', ');
    throw refuse(`${whose} names a row of ${table.label} by a key that is no ${types}`);
  }
  await session.query('release savepoint keys');
}

function refuse(why: string): JobFailure {
  return new JobFailure({
    code: 'purge.refused',
    problem: why,
    safeState: 'No held row was deleted; earlier batches of this run stay done',
    hint: 'look at nightshift.legal_hold: correct the table or the key, hold the whole table (key_value null), or release the hold',
  });
}
