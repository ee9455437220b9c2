// Expire from the list of backups to the result: plan, refuse or act. Reads no archive, writes no object.
import { JobFailure } from '../shared/job-failure.ts';
import { type ExpireEvent, type ExpireResult, type PlannedBackup, SHOWN_LOCKS } from './contract.ts';
import { addNotDeleted, deleteBackup, deleteVersions, type NotDeleted } from './delete-backup.ts';
import { describePolicy } from './keep-policy.ts';
import { type ExpireDependencies, makePlan, planSweep, type RunPlan, type SweepPlan } from './make-plan.ts';

/**
 * Deletes what the policy no longer keeps.
 *
 * Throws `expire.refused` before anything is deleted, and `object_store.failed` after everything else is done, when S3 refused
 * to delete something that is not locked.
 */
export async function runExpire(deps: ExpireDependencies): Promise<ExpireResult> {
  const { event, log, metrics, settings } = deps;
  const dryRun = event.dryRun ?? false;
  requireRequester(event);
  const plan = await makePlan(deps);
  const policy = describePolicy(settings.keep);
  const { backups, refused, remains } = plan;
  log.info('expire.planned', { policy, backups, leftovers: remains, refused });
  if (refused !== null && !dryRun) throw refuse(refused);
  const sweep = await planSweep(deps, plan);

  const outcomes = dryRun ? new Map<string, NotDeleted>() : await deleteBackups(deps, plan, sweep);
  const swept = dryRun ? nothing() : await sweepRest(deps, plan, sweep);
  const told = backups.map((backup) => tellOutcome(backup, outcomes.get(backup.backupId), sweep));
  const expired = told.filter(({ outcome }) => outcome === 'deleted').length;
  if (!dryRun) metrics.put('BackupsExpired', expired);

  const total = nothing();
  for (const locked of sweep.locks.values()) addNotDeleted(total, { locked, lockedCount: locked.length, refused: [] });
  for (const kept of [...outcomes.values(), swept]) addNotDeleted(total, kept);
  if (total.refused.length > 0) throw notAllDeleted(total.refused, expired);
  return {
    dryRun,
    policy,
    backups: told,
    refused,
    unreadable: plan.unreadable,
    lastRunAt: plan.lastRunAt,
    expired,
    leftovers: remains,
    withoutManifest: plan.leftAlone.length,
    supersededVersions: sweep.superseded.length,
    abortedUploads: sweep.uploads.length,
    lockedVersions: total.locked.slice(0, SHOWN_LOCKS),
    lockedVersionCount: total.lockedCount,
  };
}

/** Oldest first, so that a run that is cut short leaves the newer ones whole. Of each, what was not deleted. */
async function deleteBackups(
  { store, database, signal, log }: ExpireDependencies,
  plan: RunPlan,
  { locks }: SweepPlan,
): Promise<Map<string, NotDeleted>> {
  const { backups, now, remains } = plan;
  const expired = backups.filter(({ decision }) => decision === 'delete').map(({ backupId }) => backupId);
  const outcomes = new Map<string, NotDeleted>();
  for (const backupId of [...remains.toSorted(), ...expired.toReversed()]) {
    if (locks.has(backupId)) {
      log.info('expire.backup_locked', { backup_id: backupId, locked_until: locks.get(backupId)?.[0]?.lockedUntil });
      continue;
    }
    signal.throwIfAborted();
    const kept = await deleteBackup({ store, database, backupId, now, signal });
    outcomes.set(backupId, kept);
    const isWhole = kept.lockedCount === 0 && kept.refused.length === 0;
    log.info(isWhole ? 'expire.backup_deleted' : 'expire.backup_not_deleted', {
      backup_id: backupId,
      locked_versions: kept.lockedCount,
      refused_versions: kept.refused.length,
    });
  }
  return outcomes;
}

async function sweepRest(
  { store, signal, log }: ExpireDependencies,
  { now }: RunPlan,
  { superseded, uploads }: SweepPlan,
): Promise<NotDeleted> {
  signal.throwIfAborted();
  const kept = await deleteVersions({ store, now }, superseded);
  for (const { key, uploadId } of uploads) {
    signal.throwIfAborted();
    await store.abortUpload(key, uploadId);
    log.warn('expire.orphan_upload_aborted', { key });
  }
  return kept;
}

function tellOutcome(backup: PlannedBackup, kept: NotDeleted | undefined, { locks }: SweepPlan): PlannedBackup {
  const locked = locks.get(backup.backupId) ?? kept?.locked ?? [];
  if (locked.length > 0) {
    const lockedUntil = locked.map((one) => one.lockedUntil).reduce((a, b) => (a > b ? a : b));
    const what = kept === undefined ? 'kept: locked' : 'its manifest is deleted, the rest is locked';
    return { ...backup, outcome: 'locked', lockedUntil, reasons: [...backup.reasons, `${what} until ${lockedUntil}`] };
  }
  return kept === undefined || kept.refused.length > 0 ? backup : { ...backup, outcome: 'deleted' };
}

function nothing(): NotDeleted {
  return { locked: [], lockedCount: 0, refused: [] };
}

function requireRequester(event: ExpireEvent): void {
  const given = (['allowLargePlan', 'clockIsRight'] as const).filter((name) => event[name] === true);
  if (given.length === 0 || event.requestedBy !== undefined) return;
  throw new JobFailure({
    code: 'event.wrong',
    problem: `expire was started with ${given.join(' and ')} but without requestedBy`,
    safeState: 'Nothing was deleted',
    hint: 'say in requestedBy who asked for it',
  });
}

function refuse(reason: string): JobFailure {
  return new JobFailure({
    code: 'expire.refused',
    problem: `the expiry plan is refused: ${reason}`,
    safeState: 'Nothing was deleted',
    hint: 'start expire with dryRun to see the whole plan, and read docs/runbook.md#expire-failures',
  });
}

function notAllDeleted(refused: readonly string[], expired: number): JobFailure {
  return new JobFailure({
    code: 'object_store.failed',
    problem: `S3 refused to delete ${refused.length} versions that no retention date keeps, the first is ${refused[0]}`,
    safeState: `${expired} backups were deleted; what is left is tried again by the next run`,
    hint: 'look for a legal hold on it, and check the role policy and the bucket policy',
  });
}
