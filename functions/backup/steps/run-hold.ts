// Step hold of the workflow, in a relay: one shift of one of the two functions that keep the snapshot in turn.
// The very first shift takes the snapshot and makes the plan, because in a relay no session may be without a client.

import { claimOf } from '../../shared/backup-claims.ts';
import type { Database } from '../../shared/database.ts';
import { asJobFailure } from '../../shared/database-errors.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { HoldResult } from '../contract.ts';
import { accountForWork, incomplete } from '../finish/account-for-work.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { holdSchemaLock } from '../snapshot/hold-schema-lock.ts';
import { openSource } from '../snapshot/open-source.ts';
import { planOnSnapshot } from '../snapshot/plan-on-snapshot.ts';
import { holdShift, type ShiftEnd, takeOverSnapshot } from '../snapshot/relay-shift.ts';
import { readAllWork, readPlan, storePlan } from './stored-plan.ts';

const POLL_MS = 1_000;

/** Holds until the other function has taken over; `done` once the backup has ended, one way or the other. */
export async function runHold(job: BackupJob): Promise<HoldResult> {
  const { event, settings, store, log } = job;
  const { backupId = '' } = event;
  const source = openSource(job);
  try {
    const plan = await readPlan(store, settings.DATABASE_NAME, backupId);
    const isFirst = plan === undefined && event.holder === 'first';
    const end = isFirst
      ? await beginRelay(job, source, backupId)
      : await takeOverUnlessCopied(job, source, plan ?? (await awaitPlan(job, backupId)));
    log.info('backup.shift_ended', { holder: event.holder, end });
    return { backupId, done: end !== 'relieved' };
  } catch (error) {
    throw asJobFailure(error, { during: 'the holding of the snapshot', safeState: 'No backup was recorded' });
  } finally {
    await source.close();
  }
}

async function beginRelay(job: BackupJob, source: Database, backupId: string): Promise<ShiftEnd> {
  const { settings, store, signal } = job;
  const executionId = job.event.executionId ?? job.runId;
  const request = { job, source, claim: claimOf(backupId), executionId, workers: settings.COPY_STEPS };
  return await planOnSnapshot(request, async ({ session, snapshot, plan }) => {
    await storePlan(store, plan);
    const { snapshotId } = snapshot;
    return await holdShift(session, { backupId, snapshotId, shiftSeconds: settings.RELAY_SHIFT_SECONDS, signal });
  });
}

/** Between two shifts the backup may come to its end: then there is no snapshot to take over, and none is needed. */
async function takeOverUnlessCopied(job: BackupJob, source: Database, plan: BackupPlan): Promise<ShiftEnd> {
  try {
    return await takeOver(job, source, plan);
  } catch (error) {
    const isLost = error instanceof JobFailure && error.code === 'backup.snapshot_lost';
    if (isLost && (await isAllCopied(job, plan))) return 'ended';
    throw error;
  }
}

async function isAllCopied(job: BackupJob, plan: BackupPlan): Promise<boolean> {
  try {
    accountForWork(plan, await readAllWork(job.store, plan));
    return true;
  } catch {
    // Something is missing: the lost snapshot is a loss, and is what the caller reports.
    return false;
  }
}

async function takeOver(job: BackupJob, source: Database, plan: BackupPlan): Promise<ShiftEnd> {
  const { settings, clock, signal, event } = job;
  const { backupId, tables } = plan;
  if (plan.executionId !== event.executionId) throw incomplete(`backup ${backupId} has a plan of another execution`);
  return await source.withSession(async (session) => {
    // The lock of the first holder goes with its session; a migration must not begin in between.
    await holdSchemaLock(session, clock, signal);
    const snapshotId = await takeOverSnapshot(session, { backupId, expected: plan.server, tables, signal });
    return await holdShift(session, { backupId, snapshotId, shiftSeconds: settings.RELAY_SHIFT_SECONDS, signal });
  });
}

async function awaitPlan(job: BackupJob, backupId: string): Promise<BackupPlan> {
  for (;;) {
    const plan = await readPlan(job.store, job.settings.DATABASE_NAME, backupId);
    if (plan) return plan;
    await job.clock.sleep(POLL_MS, job.signal);
  }
}
