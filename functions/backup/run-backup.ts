// One backup, step by step: claim, snapshot, archive and row counts from that snapshot, globals, manifest last.
import { backupKeys } from '../shared/backup-layout.ts';
import { parseManifest } from '../shared/backup-manifest.ts';
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, type Database, limitsOf, tlsOf } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import { type Claim, claimBackup, markFailed } from './claim-backup.ts';
import type { BackupEvent, BackupResult } from './contract.ts';
import type { backupSettings } from './environment.ts';
import { type BackupParts, readInOneSnapshot } from './read-in-one-snapshot.ts';
import { recordBackup, resultOf } from './record-backup.ts';
import { sweepUploads } from './sweep-uploads.ts';

export type BackupJob = JobContext & { event: BackupEvent; settings: SettingValues<typeof backupSettings> };

/** Design of the backup: a fresh snapshot at most three times, then a failure that names the table. */
const MOST_SNAPSHOTS = 3;

/** Makes the backup of the event's scheduled time; a second delivery of the same event does nothing. */
export async function runBackup(job: BackupJob): Promise<BackupResult> {
  const { event, settings, store, clock, log } = job;
  const database = settings.DATABASE_NAME;
  const claimed = await claimBackup({
    store,
    clock,
    database,
    scheduledTime: event.scheduledTime === undefined ? clock.now() : new Date(event.scheduledTime),
    executionId: job.runId,
    leaseMs: job.timeLimitMs,
  });
  if ('made' in claimed) return await describeMade(job, claimed.made);

  const source = createDatabase({
    job: 'backup',
    credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
    tls: tlsOf(settings),
    limits: limitsOf(settings),
    maxConnections: settings.MAX_CONNECTIONS,
    rowSecurity: 'off',
  });
  try {
    await sweepUploads(store, clock, log, database);
    const parts = await readUnlessRewritten(job, source, claimed.claim);
    return await recordBackup(job, claimed.claim, parts);
  } catch (error) {
    await markFailed(store, database, claimed.claim, describeError(error)).catch((cause: unknown) => {
      // Without the mark the next attempt waits until the lease is over; nothing else depends on it.
      log.error('backup.claim_not_marked', { problem: describeError(cause) });
    });
    throw error;
  } finally {
    await source.close();
  }
}

/** A table that is truncated in the wrong moment costs a snapshot, not the backup: a fresh one is taken, twice at most. */
async function readUnlessRewritten(job: BackupJob, source: Database, claim: Claim): Promise<BackupParts> {
  for (let snapshot = 1; ; snapshot += 1) {
    try {
      return await readInOneSnapshot(job, source, claim);
    } catch (error) {
      const isRewritten = error instanceof JobFailure && error.code === 'backup.table_rewritten';
      if (!isRewritten || snapshot === MOST_SNAPSHOTS) throw error;
      job.log.warn('backup.snapshot_given_up', { snapshot, problem: error.problem });
    }
  }
}

async function describeMade(job: BackupJob, backupId: string): Promise<BackupResult> {
  const key = backupKeys(job.settings.DATABASE_NAME, backupId).manifest;
  job.log.info('backup.already_made', { backup_id: backupId });
  return resultOf(parseManifest(key, (await job.store.getText(key)) ?? ''), true);
}
