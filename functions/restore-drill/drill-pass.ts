// One pass of a drill: restores, compares and concludes as far as its time goes. All that another pass needs is in the drill's
// state and in the records of the scratch database.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { DrillRecord } from '../shared/drill-record.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { withPrivateFolder } from '../shared/private-folder.ts';
import { ArchiveDamage } from '../shared/restore/archive-damage.ts';
import { type OpenArchive, openArchive } from '../shared/restore/open-archive.ts';
import { readManifest } from './choose-backups.ts';
import { compareBackup } from './compare-backup.ts';
import { conclude, endConcluded, readConclusion, type Verdict } from './conclude-drill.ts';
import type { DrillState, DrillWorkResult } from './contract.ts';
import { type DrillServer, drillServer } from './drill-server.ts';
import { PassOver, type PassTime } from './pass-time.ts';
import { restoreBackup } from './restore-backup.ts';
import type { RestoreDrillJob } from './run-restore-drill.ts';

/** The first ones may meet a server that is busy; more of them are no accident. */
const MOST_IDLE_PASSES = 4;

export interface DrillPass {
  job: RestoreDrillJob;
  server: DrillServer;
  manifest: BackupManifest;
  archive: OpenArchive;
  time: PassTime;
  /** Replaced as the drill goes on. */
  state: DrillState;
  /** What the server lacks; filled before the restore. */
  lacks: DrillRecord['findings'];
  /** What it lacked and the drill has made. */
  mended: DrillRecord['findings'];
}

/**
 * Goes on with a drill. Done: its evidence is stored and its scratch database gone; a bad end is thrown after that.
 *
 * Whatever says nothing about the backup (S3, a lost session) is thrown without evidence, and the scratch database stays for
 * the next try; the caller drops it when there is none.
 */
export async function runPass(job: RestoreDrillJob, drill: DrillState, time: PassTime): Promise<DrillWorkResult> {
  requireProgress(drill);
  const server = drillServer(job);
  try {
    const concluded = await readConclusion(job, drill);
    if (concluded !== undefined) return await endConcluded(job, server, drill, concluded);
    const manifest = await readManifest(job.store, job.settings.DATABASE_NAME, drill.backupId);
    const { clock, log, store } = job;
    const begun = { ...drill, restoreStartedAt: drill.restoreStartedAt ?? clock.now().toISOString() };
    return await withPrivateFolder(clock, log, async (folder) => {
      const base = { job, server, manifest, time, state: begun, lacks: [], mended: [] };
      let verdict: Verdict;
      let pass: DrillPass | undefined;
      try {
        const source = { store, clock, signal: time.breakOff, onBytes: () => {} };
        pass = { ...base, archive: await openArchive(source, manifest, folder) };
        await restoreBackup(pass);
        await compareBackup(pass);
        verdict = verdictOfComparison(pass);
      } catch (error) {
        const state = pass?.state ?? begun;
        if (error instanceof PassOver || time.breakOff.reason instanceof PassOver)
          return { done: false, drill: { ...state, idlePasses: isIdle(drill, state) ? state.idlePasses + 1 : 0 } };
        verdict = verdictOfFailure(error, pass ?? base, state);
      }
      return await conclude(job, server, manifest, pass?.state ?? begun, verdict);
    });
  } finally {
    await server.database.close();
  }
}

/** Whether a pass has ended nothing: no step of the restore, no comparison. */
function isIdle(before: DrillState, after: DrillState): boolean {
  return (
    after.nextItem === before.nextItem && after.stepsDone === before.stepsDone && after.rtoSeconds === before.rtoSeconds
  );
}

/** Throws `drill.no_progress` when passes come and go and none ends anything: that would go on until the workflow is over. */
function requireProgress({ backupId, stepsDone, idlePasses }: DrillState): void {
  if (idlePasses <= MOST_IDLE_PASSES) return;
  throw new JobFailure({
    code: 'drill.no_progress',
    problem: `${idlePasses} passes in a row of the drill of backup ${backupId} have ended nothing; ${stepsDone} steps of the restore were done before`,
    safeState: 'The backup was not changed',
    hint: 'raise timeoutSeconds (900 at most) or memoryMiB of restoreDrill: one range of the largest table must fit into a pass',
  });
}

function verdictOfComparison({ state, manifest, lacks, mended }: DrillPass): Verdict {
  const { compared, differences, differenceCount } = state.soFar;
  const findings = [...lacks, ...mended, ...state.soFar.findings];
  if (differenceCount > 0) return { outcome: 'different', problem: describe(differences, differenceCount), findings };
  // What was not compared was not found equal.
  const { length } = manifest.tables;
  if (compared.tables !== length) {
    const problem = `${compared.tables} of ${length} tables could be compared`;
    return { outcome: 'unproven', problem, findings };
  }
  return { outcome: 'ok', problem: null, findings };
}

/** What a failure says about the backup; one that says nothing is thrown. */
function verdictOfFailure(
  error: unknown,
  { lacks, mended }: Pick<DrillPass, 'lacks' | 'mended'>,
  state: DrillState,
): Verdict {
  const findings = [...lacks, ...mended];
  if (error instanceof ArchiveDamage) {
    const { differences } = error;
    const problem = describe(differences, differences.length);
    return { outcome: 'damaged', problem, findings, differences: [...differences] };
  }
  if (!(error instanceof JobFailure)) throw error;
  if (error.code === 'inventory.wrong') return { outcome: 'damaged', problem: error.problem, findings };
  if (error.code === 'restore.locale_missing' || error.code === 'drill.unproven') {
    return { outcome: 'unproven', problem: error.problem, findings };
  }
  if (error.code !== 'restore.statement_failed') throw error;
  const lacking = [...lacks.map(({ what }) => what), ...state.forbidden];
  const { problem } = error;
  return lacking.length === 0
    ? { outcome: 'failed', problem, findings }
    : { outcome: 'unproven', problem: `${problem}; this server lacks ${lacking.join(', ')}`, findings };
}

/** The number of all and the first five. */
function describe(
  differences: DrillRecord['differences'] | readonly DrillRecord['differences'][number][],
  count: number,
): string {
  const shown = differences
    .slice(0, 5)
    .map(({ what, expected, actual }) => `${what}: expected ${expected}, found ${actual}`);
  return `${count} difference${count === 1 ? '' : 's'}: ${shown.join('; ')}`;
}
