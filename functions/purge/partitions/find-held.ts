// Whether a legal hold is on a partition or on any row in it: on the table, on its parents, on a row by its key, or on a person to
// whom a row leads. What cannot be told counts as held.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError } from '../../shared/job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState, UNDEFINED_FUNCTION } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { type HeldProbe, type HoldRow, type KeyLink, probesOf, type TableOfPaths } from './held-probes.ts';
import type { Partition } from './partition-work.ts';

/** Why the partition may not go, or undefined. In a transaction, whose snapshot must be taken after the lock of the holds. */
export async function findHeld(
  session: DatabaseSession,
  { table_oid }: Pick<Partition, 'table_oid'>,
  parentOid: number,
): Promise<string | undefined> {
  const { rows: holds } = await session.query<HoldRow & { is_lost: boolean } & Record<string, unknown>>(
    readSqlFile('purge/partition-holds.sql'),
    [table_oid, parentOid],
  );
  const lost = holds.find(({ is_lost: isLost }) => isLost);
  if (lost !== undefined)
    return `legal hold ${lost.hold_id} is on table "${lost.table_name}", which does not exist (any more): what it holds cannot be told`;
  const whole = holds.find(({ is_own, key_value }) => is_own && key_value === null);
  if (whole !== undefined) return `legal hold ${whole.hold_id} is on the whole table ${whole.table_name}`;
  if (holds.length === 0) return undefined;
  const { probes, untold } = await readProbes(session, table_oid, parentOid, holds);
  if (untold !== undefined) return untold;
  for (const probe of probes) {
    const held = await runProbe(session, probe);
    if (held !== undefined) return held;
  }
  return undefined;
}

async function readProbes(
  session: DatabaseSession,
  tableOid: number,
  parentOid: number,
  holds: readonly HoldRow[],
): Promise<{ probes: HeldProbe[]; untold?: string }> {
  const hasSubjects = holds.some(({ is_subject }) => is_subject);
  const links = hasSubjects
    ? (await session.query<KeyLink & Record<string, unknown>>(readSqlFile('purge/outgoing-keys.sql'), [tableOid])).rows
    : [];
  const oids = [tableOid, parentOid, ...holds.map((hold) => hold.table_oid)];
  for (const { from_oid, to_oid } of links) oids.push(from_oid, to_oid);
  const subjects = holds.filter(({ is_subject }) => is_subject).map((hold) => hold.table_oid);
  const { rows: tables } = await session.query<TableOfPaths & Record<string, unknown>>(
    readSqlFile('purge/tables-of-paths.sql'),
    [[...new Set(oids)], subjects],
  );
  return probesOf({ tableOid, parentOid, holds, links, tables });
}

async function runProbe(session: DatabaseSession, { sql, keys, holdIds }: HeldProbe): Promise<string | undefined> {
  const named = `legal hold ${holdIds.join(', ')}`;
  await session.query('savepoint held');
  try {
    const { rows } = await session.query<{ is_held: boolean }>(sql, [keys]);
    await session.query('release savepoint held');
    return rows[0]?.is_held === false ? undefined : `a row in it is under ${named}`;
  } catch (error) {
    const state = sqlState(error) ?? '';
    // A key that is no value of the key's type, a table that this role may not read, types that do not compare.
    if (!state.startsWith('22') && state !== INSUFFICIENT_PRIVILEGE && state !== UNDEFINED_FUNCTION) throw error;
    await session.query('rollback to savepoint held');
    const why = state.startsWith('22') ? 'its key is no value of the primary key' : describeError(error);
    return `whether a row in it is under ${named} cannot be told: ${why}`;
  }
}
