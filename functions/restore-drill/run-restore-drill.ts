// One restore drill, step by step: choose a backup, restore it into a scratch database, compare, drop it, record the proof.
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, limitsOf, tlsOf } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import { checkTarget } from './check-target.ts';
import { chooseBackup } from './choose-backup.ts';
import { compareWithManifest, type Difference } from './compare-with-manifest.ts';
import type { RestoreDrillEvent, RestoreDrillResult } from './contract.ts';
import type { restoreDrillSettings } from './environment.ts';
import { restoreArchive } from './restore-archive.ts';
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
 * Throws `drill.different` or `drill.restore_failed` after the evidence is stored; the scratch database is dropped in
 * every case, and those of crashed drills by the next run.
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
    let restored: Awaited<ReturnType<typeof restoreArchive>>;
    let differences: Difference[];
    try {
      restored = await restoreArchive({ job, server, tools, manifest, scratch });
      log.info('restore_drill.restored', { backup_id: manifest.backupId, rto_seconds: restored.seconds });
      const restoredDatabase = server.inDatabase(scratch);
      try {
        differences = await compareWithManifest(restoredDatabase, manifest, job.signal);
      } finally {
        await restoredDatabase.close();
      }
      if (restored.sha256 !== restored.expectedSha256) {
        differences.push({
          what: 'SHA-256 of the archive',
          expected: restored.expectedSha256,
          actual: restored.sha256,
        });
      }
    } finally {
      await dropScratchDatabase(server, scratch);
    }

    const outcome = differences.length === 0 ? 'ok' : 'different';
    const evidence = backupKeys(settings.DATABASE_NAME, manifest.backupId).drilled(job.runId);
    const record = {
      outcome,
      backupId: manifest.backupId,
      runId: job.runId,
      finishedAt: clock.now().toISOString(),
      rtoSeconds: restored.seconds,
      differences,
      notProven: NOT_PROVEN_HERE,
    };
    await store.putNew(evidence, `${JSON.stringify(record, null, 2)}\n`, 'application/json');
    if (differences.length > 0) throw differentFailure(manifest, differences);

    metrics.put('RtoSeconds', restored.seconds);
    metrics.put('DrillDurationSeconds', (clock.monotonicMs() - startedMs) / 1000);
    return {
      outcome: 'ok',
      backupId: manifest.backupId,
      takenAt: manifest.takenAt,
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
      sequences: manifest.sequences.length,
      rtoSeconds: restored.seconds,
      notProven: NOT_PROVEN_HERE,
      swept,
      evidence,
    };
  } finally {
    await server.close();
  }
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
