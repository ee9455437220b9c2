// Finds the newest backups and the newest drill in the bucket with few requests, however many backups there are.
import { countsAsBackup } from '../../shared/backup-state.ts';
import type { DrillRecord } from '../../shared/drill-record.ts';
import { newestGoodDrill, readNewestDrills } from '../../shared/newest-drills.ts';
import type { ObjectStore } from '../../shared/object-store.ts';
import {
  LATEST_SNAPSHOT_MS,
  listBackupIds,
  type ReadableBackup,
  readStoredBackup,
  scheduledMs,
  type UnreadableBackup,
} from '../../shared/stored-backup.ts';
import type { AgeLimits } from './age-checks.ts';
import { type CopyFacts, createCopyCheck } from './check-copies.ts';

/** A manifest, two listings and some evidence each: about 100 requests at the very most, 20 on a usual day. */
const MOST_BACKUPS = 20;

export interface AgeFacts {
  now: Date;
  /** By the instant of the snapshot. Undefined: among those looked at there is none. */
  newest: ReadableBackup | undefined;
  /** The newest that is verified or drilled. */
  counted: ReadableBackup | undefined;
  /** The newest that was ok. */
  drill: DrillRecord | undefined;
  /** Newest id first. */
  broken: readonly ReadableBackup[];
  unreadable: readonly UnreadableBackup[];
  /** Why the evidence of the last drill could not be read, where its backup was not looked at anyhow. */
  drillProblem: string | undefined;
  /** Ids that were not looked at. */
  idsLeft: number;
  /** Undefined when no replica is configured. */
  copies: CopyFacts | undefined;
}

/**
 * What the bucket says; throws when S3 does not answer.
 *
 * Walks the ids from the newest on and stops when no older id can belong to a newer snapshot. The newest drill may be that of
 * an old backup: the run records of the drill say which ones to look at, and the evidence beside the backup is what counts.
 */
export async function readAges(store: ObjectStore, database: string, limits: AgeLimits, now: Date): Promise<AgeFacts> {
  const ids = await listBackupIds(store, database);
  const pointed = limits.drill === undefined ? undefined : await readNewestDrills(store, database);
  const copyCheck = limits.replica === undefined ? undefined : await createCopyCheck(store, database);
  const drills: DrillRecord[] = [...(pointed?.drills ?? [])];
  const readable: ReadableBackup[] = [];
  const unreadable: UnreadableBackup[] = [];
  const counted = () => newestOf(readable.filter(({ state }) => countsAsBackup(state)));

  /** Whether the snapshot of this id, and of all older ones, lies before the instant. */
  const liesBefore = (id: string, ms: number) => scheduledMs(id) + LATEST_SNAPSHOT_MS < ms;
  const isEnough = (id: string) => {
    const newest = counted();
    const drillMs = now.getTime() - (limits.drill ?? 0) * 3_600_000;
    return (
      newest !== undefined &&
      liesBefore(id, Date.parse(newest.manifest.takenAt)) &&
      (limits.drill === undefined || newestGoodDrill(drills) !== undefined || liesBefore(id, drillMs)) &&
      (copyCheck === undefined || copyCheck.isDone())
    );
  };

  let looked = 0;
  for (const id of ids) {
    if (looked >= MOST_BACKUPS || isEnough(id)) break;
    looked += 1;
    const backup = await readStoredBackup(store, database, id);
    if (backup === undefined) continue;
    if (backup.state === 'unreadable') {
      unreadable.push(backup);
      continue;
    }
    readable.push(backup);
    drills.push(...backup.evidence.drills);
    if (countsAsBackup(backup.state)) await copyCheck?.look(backup);
  }
  return {
    now,
    newest: newestOf(readable.filter(({ state }) => state !== 'broken')),
    counted: counted(),
    drill: newestGoodDrill(drills),
    broken: readable.filter(({ state }) => state === 'broken'),
    unreadable,
    drillProblem: pointed?.problem,
    idsLeft: ids.length - looked,
    copies: copyCheck?.facts(),
  };
}

function newestOf(backups: readonly ReadableBackup[]): ReadableBackup | undefined {
  return backups.toSorted((a, b) => b.manifest.takenAt.localeCompare(a.manifest.takenAt))[0];
}
