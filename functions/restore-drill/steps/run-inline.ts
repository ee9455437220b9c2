// The whole drill in one run, without the workflow: for a small database, or by hand.
import { asJobFailure } from '../../shared/database-errors.ts';
import { describeError } from '../../shared/job-failure.ts';
import { dropScratchDatabase } from '../../shared/scratch-database.ts';
import { readManifest } from '../choose-backups.ts';
import type { DrillState, RestoreDrillResult } from '../contract.ts';
import { runPass } from '../drill-pass.ts';
import { drillScratch } from '../drill-scratch.ts';
import { drillServer } from '../drill-server.ts';
import { onlyPass } from '../pass-time.ts';
import type { RestoreDrillJob } from '../run-restore-drill.ts';
import { answerOf } from './run-finish.ts';
import { runPlan } from './run-plan.ts';

/** Plans, restores, compares and answers; a scratch database is dropped in every case. */
export async function runInline(job: RestoreDrillJob): Promise<RestoreDrillResult> {
  try {
    const { drills, swept } = await runPlan(job);
    if (job.event.dryRun) return await planned(job, drills);
    const done: DrillState[] = [];
    for (const drill of drills) done.push(await drillOnce(job, drill));
    return await answerOf(job, done, swept);
  } catch (error) {
    throw asJobFailure(error, {
      during: 'the restore drill',
      safeState: 'The backup was not changed; a scratch database that is left is dropped by a later drill',
    });
  }
}

async function drillOnce(job: RestoreDrillJob, drill: DrillState): Promise<DrillState> {
  try {
    return (await runPass(job, drill, onlyPass(job))).drill;
  } catch (error) {
    // After a conclusion it is gone already. Nobody goes on with it.
    const { database } = drillServer(job);
    await dropScratchDatabase(database, drillScratch, drill.scratch).catch((cause: unknown) => {
      const { log } = job;
      log.error('restore_drill.scratch_not_dropped', {
        scratch_database: drill.scratch,
        problem: describeError(cause),
      });
    });
    await database.close();
    throw error;
  }
}

async function planned(job: RestoreDrillJob, drills: readonly DrillState[]): Promise<RestoreDrillResult> {
  const { store, settings } = job;
  const answers: RestoreDrillResult['drills'] = [];
  for (const { backupId, chosenAs, soFar } of drills) {
    const { takenAt } = await readManifest(store, settings.DATABASE_NAME, backupId);
    const nothing = { rtoSeconds: null, findings: [], notProven: [], evidence: null };
    answers.push({ backupId, chosenAs, takenAt, compared: soFar.compared, ...nothing });
  }
  return { outcome: 'planned', drills: answers, swept: [] };
}
