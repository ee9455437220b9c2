// The restore drill: all of it in one run, or the one step of the workflow that the event names. The production database is
// never touched: it works in scratch databases of its own name, which are dropped in every case.
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import type { DrillPlanResult, DrillWorkResult, RestoreDrillEvent, RestoreDrillResult } from './contract.ts';
import type { restoreDrillSettings } from './environment.ts';
import { runAbort } from './steps/run-abort.ts';
import { runFinish } from './steps/run-finish.ts';
import { runInline } from './steps/run-inline.ts';
import { runPlan } from './steps/run-plan.ts';
import { runWork } from './steps/run-work.ts';

export type RestoreDrillJob = JobContext & {
  event: RestoreDrillEvent;
  settings: SettingValues<typeof restoreDrillSettings>;
};

/**
 * Runs what the event asks for.
 *
 * A backup whose archive is not what was written (`drill.archive_damaged`), that does not restore (`drill.restore_failed`) or
 * restores to something else (`drill.different`) throws after that evidence is stored; so does a server that lacks what the
 * backup needs (`drill.unproven`), which says nothing about the backup.
 */
export async function runRestoreDrill(
  job: RestoreDrillJob,
): Promise<RestoreDrillResult | DrillPlanResult | DrillWorkResult> {
  switch (job.event.step) {
    case 'plan':
      return await runPlan(job);
    case 'work':
      return await runWork(job);
    case 'finish':
      return await runFinish(job);
    case 'abort':
      return await runAbort(job);
    default:
      return await runInline(job);
  }
}
