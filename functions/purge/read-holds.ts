// The legal holds that stand against a policy, read inside the transaction of each batch. A hold wins over any policy.
import type { DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { sqlState } from '../shared/postgres-errors.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { TableFacts } from './read-table-facts.ts';

export interface Holds {
  readonly wholeTable: boolean;
  /** Keys of single rows, in the text form of the hold. */
  readonly keys: readonly string[];
}

interface HoldRow {
  key_value: string | null;
  is_own_table: boolean;
  table_name: string;
  hold_id: string;
}

/**
 * The holds in force on the table.
 *
 * Throws `purge.refused` when a hold cannot be kept row by row: on a table that a delete would reach through a foreign
 * key, on a table with a key of several columns, or with a key that is no value of the key's type.
 */
export async function readHolds(session: DatabaseSession, facts: TableFacts): Promise<Holds> {
  const { rows } = await session.query<HoldRow>(readSqlFile('purge/holds.sql'), [facts.table_oid]);
  const elsewhere = rows.find((row) => !row.is_own_table);
  if (elsewhere !== undefined) {
    throw refuse(
      `hold ${elsewhere.hold_id} is on ${elsewhere.table_name}, whose rows a delete here would change as well`,
    );
  }
  const wholeTable = rows.some((row) => row.key_value === null);
  const keys = rows.map((row) => row.key_value).filter((key) => key !== null);
  if (!wholeTable && keys.length > 0) await checkKeys(session, facts, keys);
  return wholeTable ? { wholeTable, keys: [] } : { wholeTable, keys };
}

async function checkKeys(session: DatabaseSession, facts: TableFacts, keys: readonly string[]): Promise<void> {
  const [key] = facts.key_columns;
  if (key === undefined || facts.key_columns.length > 1) {
    throw refuse(
      'a hold names a single row, and the primary key has several columns: which row it means cannot be told',
    );
  }
  await session.query('savepoint holds');
  try {
    // The type's name comes from format_type of the catalog, which quotes it.
    await session.query(`select $1::${key.type}[]`, [keys]);
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    throw refuse(`a hold names a row by a key that is no ${key.type}`);
  }
  await session.query('release savepoint holds');
}

function refuse(why: string): JobFailure {
  return new JobFailure({
    code: 'purge.refused',
    problem: `a legal hold stands against the policy: ${why}`,
    safeState: 'No held row was deleted; earlier batches of this run stay done',
    hint: 'look at nightshift.legal_hold; hold the whole table (key_value null) or release the hold',
  });
}
