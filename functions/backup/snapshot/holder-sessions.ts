// How the sessions of a backup know each other: by application_name, in the same database and of the same role. Two
// databases of a server may well have backups of the same id, at the same time and by the same role.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

/** NAMEDATALEN - 1: the server would cut a longer name without a word. */
const LONGEST_NAME = 63;

export interface HolderSession {
  readonly processId: number;
  /** Of its own export: what a worker imports. */
  readonly snapshotId: string;
  /** The session that asks. */
  readonly isSelf: boolean;
  /** Its statement runs. */
  readonly isAsleep: boolean;
  /** A client keeps it up and lets it go when it is told. */
  readonly isRelayed: boolean;
}

/** What a session that holds a snapshot calls itself, so that workers find the snapshot; at most 63 bytes. */
export function holderNameOf(backupId: string, snapshotId: string): string {
  const name = `nightshift/holder ${backupId} ${snapshotId}`;
  if (Buffer.byteLength(name) > LONGEST_NAME) throw new RangeError(`"${name}" is longer than ${LONGEST_NAME} bytes`);
  return name;
}

/** What the session calls itself that ends a backup, as long as it waits for holders of the relay to leave. */
export function enderNameOf(backupId: string): string {
  return `nightshift/end ${backupId}`;
}

/** The advisory lock that all workers of a backup share; per database, as every advisory lock. */
export function workersKeyOf(backupId: string): string {
  return `nightshift:backup:${backupId}`;
}

/** The advisory lock that holders of a relay share. */
export function relayKeyOf(backupId: string): string {
  return `nightshift:relay:${backupId}`;
}

interface HolderRow {
  process_id: number;
  snapshot_id: string;
  is_self: boolean;
  is_asleep: boolean;
  is_relayed: boolean;
}

/** The living holders of a backup's snapshot, newest first. */
export async function listHolders(session: DatabaseSession, backupId: string): Promise<HolderSession[]> {
  const { rows } = await session.query<HolderRow>(readSqlFile('backup/holders.sql'), [backupId, relayKeyOf(backupId)]);
  return rows.map((row) => ({
    processId: row.process_id,
    snapshotId: row.snapshot_id,
    isSelf: row.is_self,
    isAsleep: row.is_asleep,
    isRelayed: row.is_relayed,
  }));
}

/** The failure of a backup whose snapshot is gone: there is no other that could take its place. */
export function snapshotLost(problem: string, cause?: unknown): JobFailure {
  return new JobFailure({
    code: 'backup.snapshot_lost',
    problem,
    safeState: 'Nothing was read from another snapshot, and no backup was recorded',
    hint: 'look in the log of the server for a restart, a failover, or somebody who has ended the session; the next attempt takes a fresh snapshot',
    cause,
  });
}
