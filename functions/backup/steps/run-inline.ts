// The whole backup in one run: small databases and local nights. The steps of the workflow use the same modules.

import type { Claim } from '../../shared/backup-claims.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import { parseManifest } from '../../shared/backup-manifest.ts';
import type { Database } from '../../shared/database.ts';
import { asJobFailure } from '../../shared/database-errors.ts';
import { describeError } from '../../shared/job-failure.ts';
import { claimBackup, markFailed } from '../claim/claim-backup.ts';
import { sweepUploads } from '../claim/sweep-uploads.ts';
import type { BackupResult } from '../contract.ts';
import { createUploadBudget } from '../copy/upload-budget.ts';
import { abortUploads } from '../finish/complete-uploads.ts';
import { recordBackup, resultOf } from '../finish/record-backup.ts';
import type { BackupPlan, CopiedWork } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { endHolder, holdSnapshot } from '../snapshot/hold-snapshot.ts';
import { openSource } from '../snapshot/open-source.ts';
import { planOnSnapshot } from '../snapshot/plan-on-snapshot.ts';
import { readFreeConnections } from '../snapshot/server-facts.ts';
import { type CopiedItems, copyItems } from './copy-items.ts';
import { reportProgress } from './report-progress.ts';

/** Of a process that vanished behind a connection that nobody closed; its workers' sessions end in 25 s by TCP. */
const ALONE_SECONDS_INLINE = 10;

/** Makes the backup of the event's scheduled time; a second delivery of the same event does nothing. */
export async function runInline(job: BackupJob): Promise<BackupResult> {
  const { event, settings, store, clock, log } = job;
  const database = settings.DATABASE_NAME;
  const executionId = event.executionId ?? job.runId;
  const claimed = await claimBackup({
    store,
    clock,
    database,
    scheduledTime: event.scheduledTime === undefined ? clock.now() : new Date(event.scheduledTime),
    executionId,
    leaseMs: job.timeLimitMs,
  });
  if ('made' in claimed) return await describeMade(job, claimed.made);
  if ('resumed' in claimed) throw new Error('a live claim was resumed although it must be refused');

  const { claim } = claimed;
  const source = openSource(job);
  try {
    // Beside the copying: what earlier runs have left is nothing that this one has to wait for.
    const [copied, swept] = await Promise.allSettled([
      copyInline(job, source, claim, executionId),
      sweepUploads(store, clock, log, database),
    ]);
    if (copied.status === 'rejected') throw copied.reason;
    if (swept.status === 'rejected') throw swept.reason;
    return await recordBackup(job, copied.value.plan, [copied.value.work]);
  } catch (error) {
    await undo(job, claim, error);
    throw asJobFailure(error, {
      during: 'the backup',
      safeState: 'Its uploads were aborted and no backup was recorded',
    });
  } finally {
    await source.close();
  }
}

/** The answer for a backup that an earlier delivery of the event has made. */
export async function describeMade(job: BackupJob, backupId: string): Promise<BackupResult> {
  const key = backupKeys(job.settings.DATABASE_NAME, backupId).manifest;
  job.log.info('backup.already_made', { backup_id: backupId });
  return resultOf(parseManifest(key, (await job.store.getText(key)) ?? ''), true);
}

/** Aborts what an attempt has begun in the bucket and lets the next attempt begin; never throws. */
export async function undo(job: BackupJob, claim: Claim, why: unknown): Promise<void> {
  const { store, log, settings } = job;
  const archive = backupKeys(settings.DATABASE_NAME, claim.backupId).archive;
  await abortUploads(store, archive, log).catch((cause: unknown) => {
    // S3 is down: the sweep of a later run or the bucket's rule removes the parts.
    log.error('backup.upload_not_aborted', { prefix: archive, problem: describeError(cause) });
  });
  await markFailed(job, settings.DATABASE_NAME, claim, describeError(why)).catch((cause: unknown) => {
    // Without the mark the next attempt waits until the lease is over; nothing else depends on it.
    log.error('backup.claim_not_marked', { problem: describeError(cause) });
  });
}

async function copyInline(
  job: BackupJob,
  source: Database,
  claim: Claim,
  executionId: string,
): Promise<{ plan: BackupPlan; work: CopiedWork }> {
  const workers = await affordableWorkers(job, source);
  return await planOnSnapshot({ job, source, claim, executionId, workers }, async ({ session, snapshot, plan }) => {
    const holder = await holdSnapshot(session, {
      source,
      backupId: claim.backupId,
      snapshotId: snapshot.snapshotId,
      lifeSeconds: job.settings.SNAPSHOT_LIFE_SECONDS,
      // A killed process must not keep its snapshot: nobody would come to use it.
      outlivesClient: false,
      aloneSeconds: ALONE_SECONDS_INLINE,
    });
    try {
      const copied = await copyAll(job, source, plan, workers, holder.ended);
      return { plan, work: { workVersion: 1, executionId, group: 0, pass: 1, ...copied, remaining: [] } };
    } finally {
      await source
        .withSession(async (control) => await endHolder(control, claim.backupId))
        .catch((error: unknown) => {
          // Its session is this process's own: closed next, and ended by the server once nobody of this backup is seen.
          job.log.warn('backup.holder_not_ended', { problem: describeError(error) });
        });
    }
  });
}

async function copyAll(
  job: BackupJob,
  source: Database,
  plan: BackupPlan,
  workers: number,
  holderEnded: Promise<Error>,
): Promise<CopiedItems> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([job.signal, cancel.signal]);
  const waiting = plan.groups.flat();
  const copied: CopiedItems = { ranges: [], largeObjects: [] };
  const budget = createUploadBudget({ maxParts: job.settings.PARTS_IN_FLIGHT });
  const progress = reportProgress(job, plan);
  void holderEnded.then((error) => cancel.abort(error));
  const worker = async () => {
    const next = () => waiting.shift();
    await copyItems({ job, source, plan, next, copied, budget, signal, onProgress: progress.add });
  };
  const stopTheOthers = (error: unknown): never => {
    cancel.abort(error);
    throw error;
  };
  const ended = await Promise.allSettled(
    Array.from({ length: workers }, async () => await worker().catch(stopTheOthers)),
  );
  progress.end();
  // The reason of the first to stop; the others only say that they were stopped.
  if (ended.some(({ status }) => status === 'rejected')) signal.throwIfAborted();
  return copied;
}

/** As configured, but at most half of the connection slots that are free: the application needs them more. */
async function affordableWorkers(job: BackupJob, source: Database): Promise<number> {
  const { WORKERS, MAX_CONNECTIONS } = job.settings;
  const free = await source.withSession(readFreeConnections);
  // The holder and the one that ends it come on top.
  const workers = Math.max(1, Math.min(WORKERS, MAX_CONNECTIONS - 2, Math.floor(free / 2)));
  if (workers < WORKERS) job.log.warn('backup.fewer_workers', { workers, configured: WORKERS, free_connections: free });
  return workers;
}
