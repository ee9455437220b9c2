// Gathers everything that a run would do, before anything is touched: a dry run is this and nothing else.
import { inParallel } from '../shared/in-parallel.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { VersionId } from '../shared/object-store.ts';
import { chooseLeftovers, type Incomplete } from './choose-leftovers.ts';
import type { ExpireEvent, LockedVersion } from './contract.ts';
import { readManifestLocks } from './delete-backup.ts';
import { findLastRun } from './find-last-run.ts';
import { findOrphanUploads, type OrphanUpload } from './find-orphan-uploads.ts';
import { findSuperseded } from './find-superseded.ts';
import { counts, type ExpiryPlan, type ExpirySettings, planExpiry } from './plan-expiry.ts';
import { type FoundBackups, READS_IN_FLIGHT, readBackups, type Unreadable } from './read-backups.ts';
import { readIncomplete } from './read-incomplete.ts';

export interface ExpireDependencies extends Pick<JobContext, 'store' | 'clock' | 'log' | 'metrics' | 'signal'> {
  database: string;
  settings: ExpirySettings;
  event: ExpireEvent;
}

export interface RunPlan extends ExpiryPlan {
  now: Date;
  lastRunAt: string | null;
  unreadable: Unreadable[];
  found: FoundBackups;
  /** Ids without a manifest: what ended attempts have left, and what may still be in the making. */
  remains: string[];
  leftAlone: string[];
}

/** Which backups and remains go, and whether that may be carried out. */
export async function makePlan({ store, clock, database, settings, event }: ExpireDependencies): Promise<RunPlan> {
  const now = clock.now();
  const found = await readBackups(store, database);
  const incomplete = await inParallel(
    READS_IN_FLIGHT,
    found.withoutManifest,
    async (backupId) => await readIncomplete(store, clock, database, backupId),
  );
  const lastRun = await findLastRun(store, database);
  const unreadable = [...found.unreadable, ...incomplete.filter((one): one is Unreadable => 'problem' in one)];
  const plan = planExpiry({
    backups: found.backups,
    settings,
    now,
    lastRun,
    unreadable: unreadable.map(({ problem }) => problem),
    allowLargePlan: event.allowLargePlan ?? false,
    clockIsRight: event.clockIsRight ?? false,
  });
  const newestCounted = plan.backups.find(counts);
  const { remains, leftAlone } = chooseLeftovers(
    incomplete.filter((one): one is Incomplete => !('problem' in one)),
    newestCounted && new Date(newestCounted.takenAt),
    settings.keepUnverifiedDays,
    now,
  );
  const lastRunAt = lastRun instanceof Date ? lastRun.toISOString() : null;
  return { ...plan, now, lastRunAt, unreadable, found, remains, leftAlone };
}

export interface SweepPlan {
  /** Of the backups that would be deleted: those whose manifest is locked, by id. */
  locks: ReadonlyMap<string, LockedVersion[]>;
  superseded: VersionId[];
  uploads: OrphanUpload[];
}

/** What object lock keeps, and what else goes: overwritten versions of kept backups and orphan uploads. */
export async function planSweep({ store, clock, database }: ExpireDependencies, plan: RunPlan): Promise<SweepPlan> {
  const ids = (wanted: 'keep' | 'delete') =>
    plan.backups.filter(({ decision }) => decision === wanted).map(({ backupId }) => backupId);
  const locks = await inParallel(READS_IN_FLIGHT, ids('delete'), async (backupId) => ({
    backupId,
    locked: await readManifestLocks({ store, database, backupId, now: plan.now }),
  }));
  const superseded = await inParallel(READS_IN_FLIGHT, ids('keep'), async (backupId) => {
    const manifest = plan.found.manifests.get(backupId);
    return manifest === undefined ? [] : await findSuperseded(store, database, manifest);
  });
  return {
    locks: new Map(locks.flatMap(({ backupId, locked }) => (locked.length > 0 ? [[backupId, locked]] : []))),
    superseded: superseded.flat(),
    uploads: await findOrphanUploads(store, clock, database),
  };
}
