// The newest backups with what a person asks about them: how old, how large, how many rows, and does it restore.
import { backupKeys } from '../shared/backup-layout.ts';
import { type BackupManifest, readManifests } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import type { RunRecords } from './read-run-records.ts';

/** More would not be read, and each costs a request. */
const SHOWN_BACKUPS = 10;

export interface BackupSummary {
  backupId: string;
  takenAt: string;
  bytes: number;
  tables: number;
  rows: number;
  /** The newest restore drill of this backup; "unclear" when its evidence is there but its run record is not. */
  drill: 'ok' | 'failed' | 'unclear' | 'none';
  rtoSeconds: number | null;
}

export interface Backups {
  /** Newest first. */
  shown: BackupSummary[];
  total: number;
  /** Why the backups could not be read; null when they could. */
  problem: string | null;
}

/** The backups; a damaged manifest becomes `problem`, so that the rest of the report is still written. */
export async function readBackups(store: ObjectStore, database: string, runs: RunRecords): Promise<Backups> {
  let manifests: BackupManifest[];
  try {
    manifests = await readManifests(store, database);
  } catch (error) {
    if (!(error instanceof JobFailure) || error.code !== 'manifest.wrong') throw error;
    return { shown: [], total: 0, problem: error.problem };
  }
  const shown: BackupSummary[] = [];
  for (const manifest of manifests.slice(0, SHOWN_BACKUPS)) {
    shown.push({
      backupId: manifest.backupId,
      takenAt: manifest.takenAt,
      bytes: manifest.objects.reduce((sum, object) => sum + object.bytes, 0),
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
      ...(await readDrill(store, database, manifest.backupId, runs)),
    });
  }
  return { shown, total: manifests.length, problem: null };
}

async function readDrill(
  store: ObjectStore,
  database: string,
  backupId: string,
  runs: RunRecords,
): Promise<Pick<BackupSummary, 'drill' | 'rtoSeconds'>> {
  // The evidence `drilled/<run id>.json` says that there was a drill, the run record says how it ended.
  const marker = '.json';
  const prefix = backupKeys(database, backupId).drilled('').slice(0, -marker.length);
  const drills = [];
  for await (const { key } of store.list(prefix)) {
    drills.push(await runs.find('restore-drill', key.slice(prefix.length, -marker.length)));
  }
  if (drills.length === 0) return { drill: 'none', rtoSeconds: null };
  const [newest] = drills
    .filter((record) => record !== undefined)
    .toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt));
  if (newest === undefined) return { drill: 'unclear', rtoSeconds: null };
  const seconds = newest.result['rtoSeconds'];
  return { drill: newest.outcome, rtoSeconds: typeof seconds === 'number' ? seconds : null };
}
