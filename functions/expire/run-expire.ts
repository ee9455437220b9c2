// Expire from the list of backups to the result: plan, refuse or act. Reads no archive, writes no object.
import { attemptOverSince } from '../shared/backup-claims.ts';
import { backupIdOf, databasePrefix } from '../shared/backup-layout.ts';
import { readManifests } from '../shared/backup-manifest.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { ObjectVersion } from '../shared/object-store.ts';
import { chooseLeftovers } from './choose-leftovers.ts';
import type { ExpireEvent, ExpireResult, PlannedBackup } from './contract.ts';
import { deleteBackup, type LockedVersion } from './delete-backup.ts';
import { planExpiry } from './plan-expiry.ts';

interface ExpireDependencies extends Pick<JobContext, 'store' | 'clock' | 'log' | 'metrics' | 'signal'> {
  database: string;
  keepLast: number;
  event: ExpireEvent;
}

/** Deletes what the policy no longer keeps; throws `expire.refused` or `manifest.wrong` before anything is deleted. */
export async function runExpire(deps: ExpireDependencies): Promise<ExpireResult> {
  const { store, database, event, keepLast, log } = deps;
  const dryRun = event.dryRun ?? false;
  const now = deps.clock.now();
  const manifests = await readManifests(store, database);
  const allowLargePlan = allowsLargePlan(event);
  const plan = planExpiry({ manifests, keepLast, now, allowLargePlan });
  const versions = await listVersionsByBackup(deps);
  const complete = new Set(manifests.map(({ backupId }) => backupId));
  const incomplete = [...versions.keys()].filter((id) => !complete.has(id));
  const overSince = new Map<string, Awaited<ReturnType<typeof attemptOverSince>>>();
  for (const id of incomplete) overSince.set(id, await attemptOverSince(store, deps.clock, database, id));
  const { remains, leftAlone } = chooseLeftovers(incomplete, plan.backups, overSince, now);
  log.info('expire.planned', { keep_last: keepLast, backups: plan.backups, leftovers: remains, refused: plan.refused });
  if (plan.refused !== null && !dryRun) throw refuse(plan.refused);

  const lockedVersions: LockedVersion[] = [];
  const outcomes = new Map<string, PlannedBackup['outcome']>();
  if (!dryRun) {
    // Oldest first, so that a run that is cut short leaves the newer ones whole.
    const expired = plan.backups.filter(({ decision }) => decision === 'delete').map(({ backupId }) => backupId);
    for (const backupId of [...remains.toSorted(), ...expired.toReversed()]) {
      deps.signal.throwIfAborted();
      const locked = await deleteBackup(store, database, backupId, versions.get(backupId) ?? []);
      lockedVersions.push(...locked);
      outcomes.set(backupId, locked.length > 0 ? 'locked' : 'deleted');
      log.info(locked.length > 0 ? 'expire.backup_locked' : 'expire.backup_deleted', { backup_id: backupId });
    }
  }

  const backups = plan.backups.map((backup) => ({
    ...backup,
    outcome: outcomes.get(backup.backupId) ?? backup.outcome,
  }));
  const expired = backups.filter(({ outcome }) => outcome === 'deleted').length;
  if (!dryRun) deps.metrics.put('BackupsExpired', expired);
  return {
    dryRun,
    keepLast,
    backups,
    refused: plan.refused,
    expired,
    leftovers: remains,
    withoutManifest: leftAlone.length,
    lockedVersions,
  };
}

function allowsLargePlan(event: ExpireEvent): boolean {
  if (event.allowLargePlan !== true) return false;
  if (event.requestedBy !== undefined) return true;
  throw new JobFailure({
    code: 'event.wrong',
    problem: 'expire was started with allowLargePlan but without requestedBy',
    safeState: 'Nothing was deleted',
    hint: 'say in requestedBy who asked for it',
  });
}

async function listVersionsByBackup({
  store,
  database,
}: Pick<ExpireDependencies, 'store' | 'database'>): Promise<Map<string, ObjectVersion[]>> {
  const byBackup = new Map<string, ObjectVersion[]>();
  for await (const version of store.listVersions(databasePrefix(database))) {
    const backupId = backupIdOf(database, version.key);
    if (backupId === undefined) continue;
    const known = byBackup.get(backupId);
    if (known === undefined) byBackup.set(backupId, [version]);
    else known.push(version);
  }
  return byBackup;
}

function refuse(reason: string): JobFailure {
  return new JobFailure({
    code: 'expire.refused',
    problem: `the expiry plan is refused: ${reason}`,
    safeState: 'Nothing was deleted',
    hint: 'start expire with dryRun to see the whole plan; a large plan that is meant needs allowLargePlan and requestedBy',
  });
}
