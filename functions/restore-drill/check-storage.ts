// Refuses a drill for which the server has not enough free storage: a full disk would stop production. Looks before the scratch
// database is made, and never while one is there.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { DatabaseSession } from '../shared/database.ts';
import type { DrillFinding } from '../shared/drill-record.ts';
import { readFreeStorage } from '../shared/free-storage.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import type { DrillPass } from './drill-pass.ts';

/** Twice the database (design, restore and drill): its indexes, the WAL of loading it, and room for production to go on. */
const FACTOR = 2;
/** A row in the heap has a head of 24 bytes and an item id of 4 (PostgreSQL, "Database Page Layout"); COPY text has neither. */
const BYTES_OF_ROW_HEAD = 28;

/** What a pass says that finds the scratch database of one which was killed before it could tell what it saw. */
export const LOOKED_AND_KILLED: DrillFinding = {
  what: 'free storage',
  problem: 'was looked at by a pass that was killed, so it is not known what it saw',
};

/**
 * Nothing when there is enough, or why that is not known; throws `drill.storage_short` when there is not.
 *
 * Not knowing does not stop a drill: without drills nobody would know whether the backups restore.
 */
export async function checkStorage(pass: DrillPass, session: DatabaseSession): Promise<DrillFinding[]> {
  const { job, server, manifest, archive, time } = pass;
  const { clock, log } = job;
  const sourceName = server.kind === 'same server' ? archive.toc.header.dbname.toString('utf8') : null;
  const { rows } = await session.query<{ aurora: boolean; bytes: string | null }>(
    readSqlFile('restore-drill/server-storage.sql'),
    [sourceName],
  );
  const finding = (problem: string): DrillFinding[] => [{ what: 'free storage', problem }];
  if (rows[0]?.aurora) return finding('not looked at: the storage of Aurora grows by itself');
  if (server.instanceId === undefined)
    return finding(
      `not known: ${server.instanceSetting} is not set, and only CloudWatch knows the storage of an instance`,
    );
  const free = await readFreeStorage(server.instanceId, { clock, signal: time.breakOff });
  if (free.bytes === undefined) {
    log.warn('restore_drill.storage_unknown', { backup_id: manifest.backupId, problem: free.why });
    return finding(`not known: ${free.why}`);
  }
  const size = sizeOf(manifest, rows[0]?.bytes ?? null);
  const needed = FACTOR * size.bytes;
  log.info('restore_drill.storage_checked', {
    backup_id: manifest.backupId,
    free_bytes: free.bytes,
    needed_bytes: needed,
    measured_at: free.measuredAt.toISOString(),
  });
  if (free.bytes >= needed) return [];
  throw new JobFailure({
    code: 'drill.storage_short',
    problem: `instance "${server.instanceId}" has ${free.bytes} bytes of free storage, and a drill of backup ${manifest.backupId} needs ${needed}: ${FACTOR} × ${size.bytes}, ${size.from}`,
    safeState: 'No scratch database was made, and nothing is said about the backup',
    hint: 'give the instance more storage, or drill on a server of its own (restoreDrill.target)',
  });
}

/**
 * The larger of two figures. The manifest knows the rows but no index; the source knows all of it, but it may have grown since,
 * be bloated, or not be there to be asked.
 */
export function sizeOf(
  { tables, largeObjects }: Pick<BackupManifest, 'tables' | 'largeObjects'>,
  sourceBytes: string | null,
): { bytes: number; from: string } {
  const rows = tables.reduce((sum, table) => sum + table.bytes + table.rows * BYTES_OF_ROW_HEAD, largeObjects.bytes);
  const source = Number(sourceBytes ?? 0);
  return source > rows
    ? { bytes: source, from: 'the size of the database that is backed up' }
    : { bytes: rows, from: 'the rows and large objects of the backup, without indexes' };
}
