// Finds the drill records of the backup that was drilled last, which may be an old one, without looking at all backups.
import * as z from 'zod';
import { backupIdOf, databasePrefix } from './backup-layout.ts';
import { type DrillRecord, readDrillRecords } from './drill-record.ts';
import { JobFailure } from './job-failure.ts';
import type { ObjectStore } from './object-store.ts';
import { runRecordSchema, runRecordsPrefix } from './run-record.ts';

/** What is read of the answer of a drill; the newest backup comes first in it. */
const drillResult = z.object({ drills: z.array(z.object({ backupId: z.string() })) });

/** Failed drills leave run records that name no backup. */
const MOST_RUNS = 5;

export interface NewestDrills {
  drills: DrillRecord[];
  /** Why the evidence could not be read; undefined when it could, or when no run names a backup. */
  problem: string | undefined;
}

/**
 * The drills of the backup that the newest good run of restore-drill names.
 *
 * The run record only says where to look; what counts is the evidence beside the backup.
 */
export async function readNewestDrills(store: ObjectStore, database: string): Promise<NewestDrills> {
  const keys: string[] = [];
  // A key ends in <finished>-<run id>.json, so the order of keys is that of time.
  for await (const { key } of store.list(`${runRecordsPrefix(database)}restore-drill/`)) keys.push(key);
  for (const key of keys.toReversed().slice(0, MOST_RUNS)) {
    const backupId = drilledBackup(await store.getText(key));
    if (backupId === undefined || backupIdOf(database, `${databasePrefix(database)}${backupId}/`) !== backupId)
      continue;
    try {
      return { drills: await readDrillRecords(store, database, backupId), problem: undefined };
    } catch (error) {
      if (!(error instanceof JobFailure && error.code === 'drill.evidence_wrong')) throw error;
      return { drills: [], problem: error.problem };
    }
  }
  return { drills: [], problem: undefined };
}

/** The newest drill that was ok, by its end. */
export function newestGoodDrill(drills: readonly DrillRecord[]): DrillRecord | undefined {
  return drills
    .filter(({ outcome }) => outcome === 'ok')
    .toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt))[0];
}

function drilledBackup(recordText: string | undefined): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(recordText ?? '');
  } catch {
    return undefined;
  }
  const record = runRecordSchema.safeParse(json).data;
  const result = record?.outcome === 'ok' && !record.dryRun ? drillResult.safeParse(record.result).data : undefined;
  return result?.drills[0]?.backupId;
}
