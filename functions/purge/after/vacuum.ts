// VACUUM (ANALYZE) after a purge: until then the index entries of deleted rows are read again and again, and nothing is reused.
import type { DatabaseSession } from '../../shared/database.ts';
import { LOCK_NOT_AVAILABLE, QUERY_CANCELED, sqlState } from '../../shared/postgres-errors.ts';
import { quoteIdentifier } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { PolicyResult } from '../contract.ts';
import type { TableFacts } from '../links/read-tables.ts';

export interface Vacuumed {
  readonly outcome: NonNullable<PolicyResult['vacuum']>;
  readonly warnings: readonly string[];
}

/** The worst of several outcomes is told. */
const ORDER: readonly Vacuumed['outcome'][] = ['not needed', 'done', 'busy', 'out of time', 'not permitted'];

/**
 * Vacuums tables that have lost rows, each for `timeoutMs` at the most.
 *
 * Asks beforehand whether it may: the server only warns when it may not. It gives no disk back to the operating system.
 */
export async function vacuumTables(
  session: DatabaseSession,
  tables: readonly TableFacts[],
  timeoutMs: number,
): Promise<Vacuumed> {
  const outcomes: Vacuumed['outcome'][] = [];
  const warnings: string[] = [];
  for (const table of tables) {
    const { rows } = await session.query<{ may_vacuum: boolean; grant_helps: boolean }>(
      readSqlFile('purge/may-vacuum.sql'),
      [table.table_oid],
    );
    if (rows[0]?.may_vacuum !== true) {
      outcomes.push('not permitted');
      // Before 17 only the owner may, so that nobody could do anything about it: a warning each night would teach to overlook others.
      if (rows[0]?.grant_helps === true) warnings.push(notPermitted(table));
      continue;
    }
    outcomes.push(await vacuum(session, table, timeoutMs));
  }
  const outcome = outcomes.toSorted((one, other) => ORDER.indexOf(other) - ORDER.indexOf(one))[0] ?? 'not needed';
  return { outcome, warnings };
}

function notPermitted({ label, role_name: role, qualified }: TableFacts): string {
  return `${label} was not vacuumed: role "${role}" is neither its owner nor has MAINTAIN: grant maintain on ${qualified} to ${quoteIdentifier(role)}`;
}

async function vacuum(session: DatabaseSession, table: TableFacts, timeoutMs: number): Promise<Vacuumed['outcome']> {
  if (timeoutMs < 1_000) return 'out of time';
  const before = await session.query<{ statement_timeout: string }>('show statement_timeout');
  await session.query(`set statement_timeout = ${Math.trunc(timeoutMs)}`);
  try {
    await session.query(`vacuum (analyze) ${table.qualified}`);
    return 'done';
  } catch (error) {
    const state = sqlState(error);
    if (state === LOCK_NOT_AVAILABLE) return 'busy';
    if (state === QUERY_CANCELED) return 'out of time';
    throw error;
  } finally {
    await session.query("select set_config('statement_timeout', $1, false)", [
      before.rows[0]?.statement_timeout ?? '0',
    ]);
  }
}
