// One restore drill, step by step: choose a backup, restore it into a scratch database, compare, drop it, record the proof.
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { asJobFailure } from '../shared/database-errors.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import { checkTarget } from './check-target.ts';
import { chooseBackup } from './choose-backup.ts';
import { compareWithManifest, type Difference } from './compare-with-manifest.ts';
import type { RestoreDrillEvent, RestoreDrillResult } from './contract.ts';
import type { restoreDrillSettings } from './environment.ts';
import { type Restored, restoreArchive } from './restore-archive.ts';
import { createScratchDatabase, dropScratchDatabase, sweepScratchDatabases } from './scratch-database.ts';

export type RestoreDrillJob = JobContext & {
  event: RestoreDrillEvent;
  settings: SettingValues<typeof restoreDrillSettings>;
};

/** What a restore without owners and grants, on the server that the backup came from, does not show. */
const NOT_PROVEN_HERE = [
  'ownership and grants (restored with --no-owner --no-privileges)',
  'roles and passwords (they exist on this server already)',
  'contents of materialized views (computed again)',
];

/**
 * Restores a backup and compares it; the production database is not touched.
 *
 * A backup that does not restore (`drill.restore_failed`) or restores to something else (`drill.different`) throws after
 * that evidence is stored. The scratch database is dropped in every case, and those of crashed drills by the next run.
 */
export async function runRestoreDrill(job: RestoreDrillJob): Promise<RestoreDrillResult> {
  const { event, settings, store, clock, log, metrics } = job;
  const startedMs = clock.monotonicMs();
  const manifest = await chooseBackup(store, settings.DATABASE_NAME, event.backupId);
  const server = createDatabase({
    job: 'restore-drill',
    credentials: secretCredentials(settings.DATABASE_SECRET_ARN),
    tls: tlsOf(settings),
    limits: { ...limitsOf(settings), statementTimeoutMs: 0 },
    maxConnections: settings.MAX_CONNECTIONS,
    rowSecurity: 'off',
  });
  try {
    const tools = await checkTarget(server, settings.POSTGRES_CLIENT_DIRECTORIES, manifest);
    const swept = await sweepScratchDatabases(server, clock, log);
    const scratch = await createScratchDatabase(server, clock, manifest);
    let trial: Trial;
    let notDropped: unknown;
    try {
      trial = await tryBackup({ job, server, tools, manifest, scratch });
    } finally {
      await dropScratchDatabase(server, scratch).catch((cause: unknown) => {
        // What was found about the backup comes first; this is told afterwards.
        notDropped = cause;
        log.error('restore_drill.scratch_not_dropped', { scratch_database: scratch, problem: describeError(cause) });
      });
    }
    const evidence = await storeEvidence(job, manifest, trial);
    if (trial.failure) throw trial.failure;
    if (notDropped !== undefined) throw notDroppedFailure(scratch, notDropped);

    metrics.put('RtoSeconds', trial.rtoSeconds);
    metrics.put('DrillDurationSeconds', (clock.monotonicMs() - startedMs) / 1000);
    return {
      outcome: 'ok',
      backupId: manifest.backupId,
      takenAt: manifest.takenAt,
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
      sequences: manifest.sequences.length,
      rtoSeconds: trial.rtoSeconds,
      notProven: NOT_PROVEN_HERE,
      swept,
      evidence,
    };
  } catch (error) {
    throw asJobFailure(error, {
      during: 'the restore drill',
      safeState: 'The backup was not changed; a scratch database that is left is dropped by the next drill',
    });
  } finally {
    await server.close();
  }
}

/** What a drill has found out about a backup. */
interface Trial {
  outcome: 'ok' | 'different' | 'failed';
  rtoSeconds: number;
  differences: Difference[];
  failure: JobFailure | undefined;
}

/** Restores and compares; throws only what says nothing about the backup (a lost session, the time limit). */
async function tryBackup(request: Parameters<typeof restoreArchive>[0]): Promise<Trial> {
  const { job, server, manifest, scratch } = request;
  let restored: Restored;
  try {
    restored = await restoreArchive(request);
  } catch (error) {
    if (!(error instanceof JobFailure) || error.code !== 'drill.restore_failed') throw error;
    return { outcome: 'failed', rtoSeconds: 0, differences: [], failure: error };
  }
  job.log.info('restore_drill.restored', { backup_id: manifest.backupId, rto_seconds: restored.seconds });
  const database = server.inDatabase(scratch);
  try {
    const differences = await compareWithManifest(database, manifest, job.signal);
    if (restored.sha256 !== restored.expectedSha256) {
      const what = 'SHA-256 of the archive';
      differences.push({ what, expected: restored.expectedSha256, actual: restored.sha256 });
    }
    const failure = differences.length > 0 ? differentFailure(manifest, differences) : undefined;
    return { outcome: failure ? 'different' : 'ok', rtoSeconds: restored.seconds, differences, failure };
  } finally {
    await database.close();
  }
}

async function storeEvidence(job: RestoreDrillJob, manifest: BackupManifest, trial: Trial): Promise<string> {
  const key = backupKeys(job.settings.DATABASE_NAME, manifest.backupId).drilled(job.runId);
  const { failure, ...found } = trial;
  const record = {
    ...found,
    problem: failure?.problem ?? null,
    backupId: manifest.backupId,
    runId: job.runId,
    finishedAt: job.clock.now().toISOString(),
    notProven: NOT_PROVEN_HERE,
  };
  await job.store.putOwn(key, `${JSON.stringify(record, null, 2)}\n`, 'application/json');
  return key;
}

function notDroppedFailure(scratch: string, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'drill.scratch_not_dropped',
    problem: `scratch database "${scratch}" could not be dropped: ${describeError(cause)}`,
    safeState: 'The backup restored and was equal to its manifest, and that evidence is stored',
    hint: 'end what uses it and drop it: it takes as much disk as the database; the next drill tries again after an hour',
    cause,
  });
}

function differentFailure(manifest: BackupManifest, differences: readonly Difference[]): JobFailure {
  const shown = differences
    .slice(0, 5)
    .map(({ what, expected, actual }) => `${what}: manifest ${expected}, restored ${actual}`);
  return new JobFailure({
    code: 'drill.different',
    problem: `backup ${manifest.backupId} does not restore to what its manifest says; ${differences.length} difference${differences.length === 1 ? '' : 's'}: ${shown.join('; ')}`,
    safeState: 'The scratch database was dropped; the backup was not changed',
    hint: 'do not rely on this backup: make a new one now, drill it, and keep this one for the investigation',
  });
}
