// What a person says about purge in the database: legal holds, the stop flag, and the list of what there is.

import { inTransaction } from '../../functions/purge/in-transaction.ts';
import { parseKey, requireKeys } from '../../functions/purge/keep/read-holds.ts';
import { findTable } from '../../functions/purge/links/find-table.ts';
import { columnType, readTables, type TableFacts } from '../../functions/purge/links/read-tables.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import { describeError, JobFailure } from '../../functions/shared/job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState } from '../../functions/shared/postgres-errors.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { readSqlFile } from '../../functions/shared/sql-files.ts';
import type { PurgeCommand } from './command.ts';
import type { DatabaseAction } from './parse-arguments.ts';
import { type Hold, type Policy, printHolds, printList, type Stop } from './print-lists.ts';

/** Policies, holds and stop flags; what is not purged although it should be. */
export async function list(command: PurgeCommand): Promise<number> {
  const found = await within(command, async (session) => ({
    policies: (await session.query<Policy & Record<string, unknown>>(readSqlFile('purge-command/policies.sql'))).rows,
    holds: await readHoldsInForce(session),
    stops: (await session.query<Stop & Record<string, unknown>>(readSqlFile('purge-command/stops.sql'))).rows,
    piiWithoutPolicy: (
      await session.query<{ table: string; columns: string[] }>(readSqlFile('purge/pii-without-policy.sql'))
    ).rows,
  }));
  command.print(command.options.json ? JSON.stringify(found, null, 2) : printList(found, command.coloured));
  return 0;
}

export async function listHolds(command: PurgeCommand): Promise<number> {
  const holds = await within(command, readHoldsInForce);
  command.print(command.options.json ? JSON.stringify(holds, null, 2) : printHolds(holds, command.coloured));
  return 0;
}

/** Places a hold; when it returns no batch that could still remove the row is open. */
export async function placeHold(
  command: PurgeCommand,
  { row, ofPerson, reason, until }: Extract<DatabaseAction, { name: 'hold' }>,
): Promise<number> {
  if (ofPerson && row.key === undefined)
    throw refused('--of-person needs the key of the person', 'say which row stands for the person, as users:42');
  const placed = await within(command, async (session) => {
    const oid = await findTable(session, row, 'the table of the row');
    const table = (await readTables(session, [oid])).get(oid);
    if (table === undefined) throw refused('the table was dropped meanwhile', 'name another one');
    // Looked for before the hold, because a hold on a misspelt key would protect nothing.
    const found = row.key === undefined ? 'whole table' : await lookFor(session, table, row.key);
    const { rows } = await session.query<{ holdId: string }>(readSqlFile('purge-command/place-hold.sql'), [
      table.schema_name,
      table.table_name,
      row.key ?? null,
      ofPerson,
      reason,
      until ?? null,
      command.options.requestedBy,
    ]);
    const [hold] = rows;
    if (hold === undefined) throw notWritten('legal_hold');
    return { holdId: hold.holdId, table: table.label, found };
  });
  if (command.options.json) command.print(JSON.stringify(placed, null, 2));
  else command.print(describePlaced(placed, ofPerson));
  return 0;
}

function describePlaced(
  { holdId, table, found }: { holdId: string; table: string; found: Found },
  ofPerson: boolean,
): string {
  const what = found === 'whole table' ? `all rows of ${table}` : `one row of ${table}`;
  const more = ofPerson ? ' and everything that leads to it' : '';
  const doubt =
    found === 'missing'
      ? '\nThere is no such row now: check the key. The hold stands.'
      : found === 'not looked'
        ? `\nWhether there is such a row could not be looked at: this login may not read ${table}. The hold stands.`
        : '';
  return `Hold ${holdId} is in force for ${what}${more}.${doubt}`;
}

type Found = 'there' | 'missing' | 'not looked' | 'whole table';

async function lookFor(session: DatabaseSession, table: TableFacts, key: string): Promise<Found> {
  const values = parseKey(table, key, 'the hold');
  try {
    return await inTransaction(session, 'begin read only', async () => {
      await requireKeys(session, table, [values], 'the hold');
      const isKey = table.primary_key.map(
        (column, index) => `${quoteIdentifier(column)} = $${index + 1}::${columnType(table, column)}`,
      );
      const { rowCount } = await session.query(`select from ${table.qualified} where ${isKey.join(' and ')}`, [
        ...values,
      ]);
      return rowCount === 0 ? 'missing' : 'there';
    });
  } catch (error) {
    if (sqlState(error) === INSUFFICIENT_PRIVILEGE) return 'not looked';
    throw error;
  }
}

export async function releaseHold(command: PurgeCommand, holdId: string): Promise<number> {
  const { rows } = await within(
    command,
    async (session) =>
      await session.query<{ holdId: string; table: string; reason: string }>(
        readSqlFile('purge-command/release-hold.sql'),
        [holdId, command.options.requestedBy],
      ),
  );
  const [released] = rows;
  if (released === undefined)
    throw refused(`hold ${holdId} is not in force`, 'npm run purge -- --holds lists those that are');
  if (command.options.json) command.print(JSON.stringify(released, null, 2));
  else command.print(`Hold ${holdId} on ${released.table} (${released.reason}) is released.`);
  return 0;
}

export async function placeStop(command: PurgeCommand, reason: string): Promise<number> {
  const { rows } = await within(
    command,
    async (session) =>
      await session.query<{ stopId: string }>(readSqlFile('purge-command/place-stop.sql'), [
        reason,
        command.options.requestedBy,
      ]),
  );
  const [stop] = rows;
  if (stop === undefined) throw notWritten('purge_stop');
  if (command.options.json) command.print(JSON.stringify(stop, null, 2));
  else command.print('No purge begins another batch; one that runs ends within a second or two. --go-on lifts it.');
  return 0;
}

export async function liftStops(command: PurgeCommand): Promise<number> {
  const { rows } = await within(
    command,
    async (session) =>
      await session.query<{ stopId: string; reason: string; placedBy: string }>(
        readSqlFile('purge-command/lift-stops.sql'),
        [command.options.requestedBy],
      ),
  );
  if (command.options.json) command.print(JSON.stringify(rows, null, 2));
  else
    command.print(
      rows.length === 0
        ? 'There was no stop flag.'
        : rows.map(({ reason, placedBy }) => `Lifted: ${reason} (placed by ${placedBy})`).join('\n'),
    );
  return 0;
}

async function readHoldsInForce(session: DatabaseSession): Promise<Hold[]> {
  return (await session.query<Hold & Record<string, unknown>>(readSqlFile('purge-command/holds.sql'))).rows;
}

async function within<T>({ opened }: PurgeCommand, use: (session: DatabaseSession) => Promise<T>): Promise<T> {
  try {
    return await opened.database.withSession(use);
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new JobFailure({
      code: 'purge.refused',
      problem: `this login lacks a right: ${describeError(error)}`,
      safeState: 'Nothing was changed',
      hint: 'log in as nightshift_migrate, which owns the tables of purge, or as one to whom it has granted INSERT and UPDATE; a hold also needs USAGE on the schema of its table',
      cause: error,
    });
  }
}

/** A trigger or a rule has swallowed the row. */
function notWritten(table: string): JobFailure {
  return refused(`the server has written no row into nightshift.${table}`, 'look for triggers and rules on that table');
}

function refused(problem: string, hint: string): JobFailure {
  return new JobFailure({ code: 'purge.refused', problem, safeState: 'Nothing was changed', hint });
}
