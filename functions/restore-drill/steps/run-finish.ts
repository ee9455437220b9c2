// Step finish: the good end of a drill, answered from its evidence.
import { backupKeys } from '../../shared/backup-layout.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { readManifest } from '../choose-backups.ts';
import { readConclusion } from '../conclude-drill.ts';
import type { DrillState, RestoreDrillResult } from '../contract.ts';
import type { RestoreDrillJob } from '../run-restore-drill.ts';

/** What was drilled; throws when the evidence of one is missing, or says anything but ok. */
export async function runFinish(job: RestoreDrillJob): Promise<RestoreDrillResult> {
  const { event } = job;
  return await answerOf(job, event.drills ?? [], event.swept ?? []);
}

/** The answer of the job as a whole. */
export async function answerOf(
  job: RestoreDrillJob,
  states: readonly DrillState[],
  swept: string[],
): Promise<RestoreDrillResult> {
  const database = job.settings.DATABASE_NAME;
  const drills: RestoreDrillResult['drills'] = [];
  for (const state of states) {
    const record = await readConclusion(job, state);
    if (record?.outcome !== 'ok') throw withoutEvidence(state, record?.outcome);
    const { takenAt } = await readManifest(job.store, database, state.backupId);
    drills.push({
      backupId: record.backupId,
      chosenAs: record.chosenAs,
      takenAt,
      compared: record.compared,
      rtoSeconds: record.rtoSeconds,
      findings: record.findings,
      notProven: record.notProven,
      evidence: backupKeys(database, state.backupId).drilled(state.drillId),
    });
  }
  return { outcome: 'ok', drills, swept };
}

function withoutEvidence({ drillId, backupId }: DrillState, outcome: string | undefined): JobFailure {
  return new JobFailure({
    code: 'drill.unproven',
    problem: `drill ${drillId} of backup ${backupId} has ${outcome === undefined ? 'left no evidence' : `ended with "${outcome}"`}, so nothing is proven`,
    safeState: 'The backup was not changed',
    hint: 'look in the log at how this drill ended, and start another one',
  });
}
