// Step plan of the workflow: decides between one function and many, and for many makes the plan and leaves a session on
// the server that holds the snapshot.

import type { Claim } from '../../shared/backup-claims.ts';
import type { Database } from '../../shared/database.ts';
import { asJobFailure } from '../../shared/database-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { claimBackup } from '../claim/claim-backup.ts';
import { sweepUploads } from '../claim/sweep-uploads.ts';
import type { PlanResult } from '../contract.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { endHolder, holdSnapshot, isHolderAlive } from '../snapshot/hold-snapshot.ts';
import { openSource } from '../snapshot/open-source.ts';
import { planOnSnapshot } from '../snapshot/plan-on-snapshot.ts';
import { readFreeConnections } from '../snapshot/server-facts.ts';
import { undo } from './run-inline.ts';
import { readPlan, storePlan } from './stored-plan.ts';

const GIB = 2 ** 30;
/** The workflow may take this much longer than its snapshot lives; afterwards nothing of it can be at work. */
const AFTER_SNAPSHOT_MS = 3_600_000;
const POLL_MS = 2_000;

/** See planResult; started again by the same execution it answers the plan that exists, if its snapshot still lives. */
export async function runPlan(job: BackupJob): Promise<PlanResult> {
  const { event, settings } = job;
  const source = openSource(job);
  try {
    if (event.backupId !== undefined) return await awaitPlan(job, source, event.backupId);
    const { bytes, concurrency } = await estimate(job, source);
    if (bytes <= settings.INLINE_LIMIT_GIB * GIB) {
      return { mode: 'inline', backupId: null, estimatedBytes: bytes, groups: [], concurrency: 1 };
    }
    const claimed = await claimForExecution(job, source);
    if ('made' in claimed) {
      return { mode: 'made', backupId: claimed.made, estimatedBytes: bytes, groups: [], concurrency: 1 };
    }
    if ('plan' in claimed) return answer(claimed.plan, concurrency);
    if (settings.SNAPSHOT_HOLDER === 'relay') {
      // The first holder of the relay takes the snapshot and makes the plan: it must not be without a client.
      return { mode: 'distributed', backupId: claimed.claim.backupId, estimatedBytes: bytes, groups: [], concurrency };
    }
    return answer(await planAndLeave(job, source, claimed.claim, concurrency), concurrency);
  } catch (error) {
    throw asJobFailure(error, {
      during: 'the planning of the backup',
      safeState: 'Its uploads were aborted and no backup was recorded',
    });
  } finally {
    await source.close();
  }
}

function answer(plan: BackupPlan, concurrency: number): PlanResult {
  const estimatedBytes = plan.tables.flatMap(({ ranges }) => ranges).reduce((sum, one) => sum + one.estimatedBytes, 0);
  return {
    mode: 'distributed',
    backupId: plan.backupId,
    estimatedBytes,
    groups: plan.groups.map((_, group) => group),
    concurrency,
  };
}

async function estimate(job: BackupJob, source: Database): Promise<{ bytes: number; concurrency: number }> {
  return await source.withSession(async (session) => {
    const { rows } = await session.query<{ bytes: string }>(readSqlFile('backup/estimated-bytes.sql'));
    const free = await readFreeConnections(session);
    const { COPY_STEPS } = job.settings;
    const concurrency = Math.max(1, Math.min(COPY_STEPS, Math.floor(free / 2)));
    if (concurrency < COPY_STEPS) {
      job.log.warn('backup.fewer_workers', { workers: concurrency, configured: COPY_STEPS, free_connections: free });
    }
    return { bytes: Number(rows[0]?.bytes), concurrency };
  });
}

/** The claim to begin with, or what this execution or an earlier delivery has already: its plan, or the whole backup. */
async function claimForExecution(
  job: BackupJob,
  source: Database,
): Promise<{ claim: Claim } | { made: string } | { plan: BackupPlan }> {
  const { event, settings, store, clock } = job;
  const database = settings.DATABASE_NAME;
  for (;;) {
    const claimed = await claimBackup({
      store,
      clock,
      database,
      scheduledTime: event.scheduledTime === undefined ? clock.now() : new Date(event.scheduledTime),
      executionId: event.executionId ?? job.runId,
      leaseMs: settings.SNAPSHOT_LIFE_SECONDS * 1_000 + AFTER_SNAPSHOT_MS,
      mayResume: true,
    });
    if (!('resumed' in claimed)) return claimed;
    const { backupId } = claimed.resumed;
    const plan = await readPlan(store, database, backupId);
    if (plan && (await source.withSession(async (session) => await isHolderAlive(session, backupId)))) return { plan };
    // Its first run died before it was ready, and its snapshot with it: nothing of it can be gone on with.
    await undo(job, claimed.resumed, 'the step plan was started again and found no living snapshot');
  }
}

async function planAndLeave(job: BackupJob, source: Database, claim: Claim, workers: number): Promise<BackupPlan> {
  const { settings, store, clock, log } = job;
  const executionId = job.event.executionId ?? job.runId;
  try {
    await sweepUploads(store, clock, log, settings.DATABASE_NAME);
    return await planOnSnapshot({ job, source, claim, executionId, workers }, async ({ session, snapshot, plan }) => {
      const holder = await holdSnapshot(session, {
        source,
        backupId: claim.backupId,
        snapshotId: snapshot.snapshotId,
        lifeSeconds: settings.SNAPSHOT_LIFE_SECONDS,
        outlivesClient: true,
      });
      await storePlan(store, plan);
      const lost = await Promise.race([holder.ended, job.clock.sleep(0)]);
      if (lost) throw lost;
      return plan;
    });
  } catch (error) {
    await source
      .withSession(async (control) => await endHolder(control, claim.backupId))
      .catch(() => {
        // The server is gone or refuses us: the holder ends by itself when nobody of this backup is seen any more.
      });
    await undo(job, claim, error);
    throw error;
  }
}

/** In a relay: waits until the first holder has stored the plan. */
async function awaitPlan(job: BackupJob, source: Database, backupId: string): Promise<PlanResult> {
  const { store, clock, settings, signal } = job;
  for (;;) {
    const plan = await readPlan(store, settings.DATABASE_NAME, backupId);
    if (plan) return answer(plan, (await estimate(job, source)).concurrency);
    await clock.sleep(POLL_MS, signal);
  }
}
