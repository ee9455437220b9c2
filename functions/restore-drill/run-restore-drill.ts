// One restore drill, step by step: choose a backup, fetch and check its archive, restore it into a scratch database,
// compare, drop it, record the proof.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { dumpedContents } from '../shared/archive-toc/dumped-contents.ts';
import type { Toc } from '../shared/archive-toc/toc-entry.ts';
import { createTocReader } from '../shared/archive-toc/toc-reader.ts';
import { backupKeys } from '../shared/backup-layout.ts';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import { secretCredentials } from '../shared/credentials.ts';
import { createDatabase, type Database, limitsOf, tlsOf } from '../shared/database.ts';
import { asJobFailure } from '../shared/database-errors.ts';
import type { DrillDifference } from '../shared/drill-record.ts';
import { OWNERSHIP_KINDS } from '../shared/inventory.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { JobContext } from '../shared/job-handler.ts';
import type { ClientTools } from '../shared/postgres-client-tools.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import { checkTarget } from './check-target.ts';
import { chooseBackup } from './choose-backup.ts';
import { compareRestored, type Expected } from './compare/compare-restored.ts';
import type { Comparison } from './compare/comparison.ts';
import { readExpected } from './compare/read-expected.ts';
import type { RestoreDrillEvent, RestoreDrillResult } from './contract.ts';
import type { restoreDrillSettings } from './environment.ts';
import { fetchArchive, requireSpace } from './fetch-archive.ts';
import { withPrivateFolder } from './private-folder.ts';
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
 * A backup whose archive is not what was written (`drill.archive_damaged`), that does not restore (`drill.restore_failed`)
 * or restores to something else (`drill.different`) throws after that evidence is stored. The scratch database and the
 * fetched archive are removed in every case, and those of crashed drills by the next run.
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
    const trial = await withPrivateFolder(clock, log, async (folder) => {
      await requireSpace(manifest, folder);
      return await tryBackup({ job, server, tools, manifest, folder });
    });
    const evidence = await storeEvidence(job, manifest, trial);
    if (trial.failure) throw trial.failure;
    if (trial.notDropped) throw trial.notDropped;

    metrics.put('RtoSeconds', trial.findings.rtoSeconds);
    metrics.put('DrillDurationSeconds', (clock.monotonicMs() - startedMs) / 1000);
    return {
      outcome: 'ok',
      backupId: manifest.backupId,
      takenAt: manifest.takenAt,
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
      sequences: manifest.sequences.length,
      largeObjects: manifest.largeObjects.count,
      rtoSeconds: trial.findings.rtoSeconds,
      notProven: [...NOT_PROVEN_HERE, ...(trial.findings.compared?.notProven ?? [])],
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
interface Findings {
  outcome: 'ok' | 'damaged' | 'different' | 'failed';
  rtoSeconds: number;
  differences: DrillDifference[];
  compared?: Comparison;
}

interface Trial {
  findings: Findings;
  failure: JobFailure | undefined;
  /** What was found about the backup comes first; this is told afterwards. */
  notDropped?: JobFailure;
}

interface TrialRequest {
  job: RestoreDrillJob;
  server: Database;
  tools: ClientTools;
  manifest: BackupManifest;
  folder: string;
}

/** Fetches, restores and compares; throws only what says nothing about the backup (S3, a lost session, the time limit). */
async function tryBackup(request: TrialRequest): Promise<Trial> {
  const { job, server, manifest, folder } = request;
  const { clock, log, signal, store } = job;
  const startedMs = clock.monotonicMs();
  const seconds = () => Math.round(clock.monotonicMs() - startedMs) / 1000;
  const differences = await fetchArchive({ store, manifest, folder, signal });
  if (differences.length > 0) {
    return {
      findings: { outcome: 'damaged', rtoSeconds: 0, differences },
      failure: damagedFailure(manifest, differences),
    };
  }
  log.info('restore_drill.fetched', { backup_id: manifest.backupId, seconds: seconds() });
  const contents = dumpedContents(await readToc(join(folder, 'toc.dat')));
  const expected = await readExpected(store, manifest, { contents, leftOut: OWNERSHIP_KINDS });
  const scratch = await createScratchDatabase(server, clock, manifest);
  let trial: Trial | undefined;
  let notDropped: JobFailure | undefined;
  try {
    trial = await restoreAndCompare({ ...request, expected, scratch, seconds });
  } finally {
    await dropScratchDatabase(server, scratch).catch((cause: unknown) => {
      notDropped = notDroppedFailure(scratch, cause);
      log.error('restore_drill.scratch_not_dropped', { scratch_database: scratch, problem: describeError(cause) });
    });
  }
  return { ...trial, ...(notDropped ? { notDropped } : {}) };
}

async function readToc(file: string): Promise<Toc> {
  const reader = createTocReader();
  for await (const chunk of createReadStream(file)) if (Buffer.isBuffer(chunk)) reader.push(chunk);
  return reader.end();
}

async function restoreAndCompare(
  request: TrialRequest & { expected: Expected; scratch: string; seconds: () => number },
): Promise<Trial> {
  const { job, server, manifest, expected, scratch } = request;
  try {
    await restoreArchive({ ...request, signal: job.signal });
  } catch (error) {
    if (!(error instanceof JobFailure) || error.code !== 'drill.restore_failed') throw error;
    return { findings: { outcome: 'failed', rtoSeconds: 0, differences: [] }, failure: error };
  }
  const rtoSeconds = request.seconds();
  job.log.info('restore_drill.restored', { backup_id: manifest.backupId, rto_seconds: rtoSeconds });
  const database = server.inDatabase(scratch);
  try {
    const compared = await compareRestored(database, expected, { sessionsAtOnce: 2, signal: job.signal });
    const { differences, differenceCount } = compared;
    return differenceCount > 0
      ? {
          findings: { outcome: 'different', rtoSeconds, differences, compared },
          failure: differentFailure(manifest, differences, differenceCount),
        }
      : { findings: { outcome: 'ok', rtoSeconds, differences, compared }, failure: undefined };
  } finally {
    await database.close();
  }
}

async function storeEvidence(job: RestoreDrillJob, manifest: BackupManifest, trial: Trial): Promise<string> {
  const key = backupKeys(job.settings.DATABASE_NAME, manifest.backupId).drilled(job.runId);
  const { compared, ...findings } = trial.findings;
  const record = {
    ...findings,
    problem: trial.failure?.problem ?? null,
    backupId: manifest.backupId,
    runId: job.runId,
    finishedAt: job.clock.now().toISOString(),
    notProven: [...NOT_PROVEN_HERE, ...(compared?.notProven ?? [])],
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

const NOT_TO_BE_RELIED_ON =
  'do not rely on this backup: make a new one now, drill it, and keep this one for the investigation';

function damagedFailure(manifest: BackupManifest, differences: readonly DrillDifference[]): JobFailure {
  return new JobFailure({
    code: 'drill.archive_damaged',
    problem: `the archive of backup ${manifest.backupId} is not what was written; ${describeDifferences(differences, 'stored')}`,
    safeState: 'Nothing was restored; the backup was not changed',
    hint: NOT_TO_BE_RELIED_ON,
  });
}

function differentFailure(
  manifest: BackupManifest,
  differences: readonly DrillDifference[],
  count: number,
): JobFailure {
  return new JobFailure({
    code: 'drill.different',
    problem: `backup ${manifest.backupId} does not restore to what its manifest says; ${describeDifferences(differences, 'restored', count)}`,
    safeState: 'The scratch database was dropped; the backup was not changed',
    hint: NOT_TO_BE_RELIED_ON,
  });
}

/** The number of all and the first five. */
function describeDifferences(
  differences: readonly DrillDifference[],
  found: 'stored' | 'restored',
  count = differences.length,
): string {
  const shown = differences
    .slice(0, 5)
    .map(({ what, expected, actual }) => `${what}: manifest ${expected}, ${found} ${actual}`);
  return `${count} difference${count === 1 ? '' : 's'}: ${shown.join('; ')}`;
}
