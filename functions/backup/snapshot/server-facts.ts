// Which server a backup reads, in the backup's own snapshot; refuses one that may forget rows the snapshot sees.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';

export interface ServerFacts {
  server: BackupPlan['server'];
  /** Start of the snapshot's transaction. */
  takenAt: Date;
}

interface ServerRow {
  version: string;
  major: number;
  aurora: boolean;
  server_id: string;
  encoding: string;
  snapshot: string;
  taken_at: Date;
  started_at: string;
  address: string;
  old_snapshot_threshold: string | null;
}

/** The server as this session sees it; throws `backup.snapshot_unsafe` when old_snapshot_threshold is set. */
export async function readServerFacts(session: DatabaseSession): Promise<ServerFacts> {
  const { rows } = await session.query<ServerRow>(readSqlFile('backup/server.sql'));
  const row = rows[0];
  if (!row) throw new Error('sql/backup/server.sql gave no row');
  if (row.old_snapshot_threshold !== null && row.old_snapshot_threshold !== '-1') {
    throw new JobFailure({
      code: 'backup.snapshot_unsafe',
      problem: `old_snapshot_threshold of the server is "${row.old_snapshot_threshold}" but must be -1: the server may remove rows that the backup has yet to read`,
      safeState: 'Nothing was dumped and no backup was recorded',
      hint: 'set old_snapshot_threshold to -1 in the parameter group and restart the server',
    });
  }
  return {
    server: {
      version: row.version,
      major: row.major,
      aurora: row.aurora,
      serverId: row.server_id,
      encoding: row.encoding,
      snapshot: row.snapshot,
      startedAt: row.started_at,
      address: row.address,
    },
    takenAt: row.taken_at,
  };
}

/** How many more sessions the backup role could open at this moment; never negative. */
export async function readFreeConnections(session: DatabaseSession): Promise<number> {
  const { rows } = await session.query<{ free: number }>(readSqlFile('backup/free-connections.sql'));
  return Math.max(0, rows[0]?.free ?? 0);
}
