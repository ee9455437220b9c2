// Opens a snapshot as a backup does, without pg_dump; also for processes outside vitest, which a test may kill.
import type { BackupPlan } from '../../functions/backup/plan/plan-contract.ts';
import { lockTables } from '../../functions/backup/snapshot/lock-tables.ts';
import { readServerFacts } from '../../functions/backup/snapshot/server-facts.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import { readSqlFile } from '../../functions/shared/sql-files.ts';

export const never = new AbortController().signal;

export interface HeldTable {
  oid: number;
  schema: string;
  name: string;
}

export interface OpenedSnapshot {
  snapshotId: string;
  expected: BackupPlan['server'];
}

/** Begins the transaction of a snapshot with all tables locked, as the opening of a backup does. */
export async function openAndLock(
  session: DatabaseSession,
  backupId: string,
  tables: readonly HeldTable[],
): Promise<OpenedSnapshot> {
  await session.query("select set_config('application_name', $1, false)", [`nightshift/backup ${backupId}`]);
  await session.query('begin isolation level repeatable read read only');
  await session.query(readSqlFile('backup/session.sql'));
  const { server } = await readServerFacts(session);
  const exported = await session.query<{ id: string }>('select pg_export_snapshot() as id');
  await lockTables(session, tables, { clock: systemClock, withinMs: 5_000, signal: never });
  return { snapshotId: exported.rows[0]?.id ?? '', expected: server };
}
