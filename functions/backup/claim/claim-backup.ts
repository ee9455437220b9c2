// Claims a backup's scheduled time in S3, because events arrive at least once: two deliveries make one backup.
import { type Claim, readClaim } from '../../shared/backup-claims.ts';
import { backupKeys, claimKeys } from '../../shared/backup-layout.ts';
import { type Clock, compactInstant } from '../../shared/clock.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore } from '../../shared/object-store.ts';

/** A third failure is not bad luck: someone has to look. */
const MOST_ATTEMPTS = 3;

interface ClaimRequest {
  store: ObjectStore;
  clock: Clock;
  database: string;
  scheduledTime: Date;
  executionId: string;
  /** How long this execution can live at the most; afterwards the next attempt may be claimed. */
  leaseMs: number;
  /** Answers a live claim of the same execution as `resumed`, instead of refusing it: for the steps of a workflow. */
  mayResume?: boolean;
}

/**
 * The claim of the first attempt that is free, or `made` with the id of the backup that exists already.
 *
 * Attempt n + 1 is free only when attempt n has a failed mark, or its lease is over, and no manifest exists.
 * Throws `job.still_running` while another execution holds the claim, and `backup.attempts_used_up` after three.
 */
export async function claimBackup(
  request: ClaimRequest,
): Promise<{ made: string } | { claim: Claim } | { resumed: Claim }> {
  const { store, clock, database, executionId } = request;
  const scheduled = compactInstant(request.scheduledTime);
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const backupId = attemptId(scheduled, attempt);
    const keys = claimKeys(database, scheduled, attempt);
    const now = clock.now();
    const body = {
      executionId,
      startedAt: now.toISOString(),
      leaseEnd: new Date(now.getTime() + request.leaseMs).toISOString(),
    };
    if (await putUnlessTaken(store, keys.claim, body)) {
      return { claim: { backupId, attempt, scheduled, scheduledTime: request.scheduledTime } };
    }

    if (await store.head(backupKeys(database, backupId).manifest)) return { made: backupId };
    if (await store.head(keys.failed)) continue;
    const holder = await readClaim(store, keys.claim);
    if (request.mayResume && holder?.executionId === executionId) {
      return { resumed: { backupId, attempt, scheduled, scheduledTime: request.scheduledTime } };
    }
    if (holder && new Date(holder.leaseEnd) > now) {
      throw new JobFailure({
        code: 'job.still_running',
        problem: `the backup of ${scheduled} is still running: execution ${holder.executionId} started at ${holder.startedAt} and may run until ${holder.leaseEnd}`,
        safeState: 'No second backup was begun',
        hint: 'wait for it; if it has died, start this backup again after that time',
      });
    }
  }
  throw new JobFailure({
    code: 'backup.attempts_used_up',
    problem: `all ${MOST_ATTEMPTS} attempts at the backup of ${scheduled} have failed`,
    safeState: 'No further attempt was begun; earlier backups are as they were',
    hint: 'read the log of the last attempt, mend the cause and start a backup by hand (without scheduledTime)',
  });
}

/** Marks an attempt as failed, so that the next one may begin at once instead of after the lease. */
export async function markFailed(
  { store, clock }: { store: ObjectStore; clock: Clock },
  database: string,
  claim: Claim,
  problem: string,
): Promise<void> {
  const failedAt = clock.now().toISOString();
  const body = `${JSON.stringify({ backupId: claim.backupId, failedAt, problem }, null, 2)}\n`;
  await store.putOwn(claimKeys(database, claim.scheduled, claim.attempt).failed, body, 'application/json');
}

function attemptId(scheduled: string, attempt: number): string {
  return attempt === 1 ? scheduled : `${scheduled}-${attempt}`;
}

async function putUnlessTaken(store: ObjectStore, key: string, body: object): Promise<boolean> {
  const claimText = `${JSON.stringify(body, null, 2)}\n`;
  try {
    await store.putNew(key, claimText, 'application/json');
    return true;
  } catch (error) {
    if (!(error instanceof JobFailure && error.code === 'object_store.exists')) throw error;
    // S3 may have stored it although its answer was lost; the client's retry is then refused.
    return (await store.getText(key)) === claimText;
  }
}
