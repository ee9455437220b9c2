// The backup job: the whole backup in one run, or the one step of the workflow that the event names.
import type { JobContext } from '../shared/job-handler.ts';
import type { SettingValues } from '../shared/read-environment.ts';
import type { BackupEvent, BackupResult, CopyResult, HoldResult, PlanResult } from './contract.ts';
import type { backupSettings } from './environment.ts';
import { runAbort } from './steps/run-abort.ts';
import { runCopy } from './steps/run-copy.ts';
import { runFinish } from './steps/run-finish.ts';
import { runHold } from './steps/run-hold.ts';
import { runInline } from './steps/run-inline.ts';
import { runPlan } from './steps/run-plan.ts';

export type BackupJob = JobContext & { event: BackupEvent; settings: SettingValues<typeof backupSettings> };

/** Runs what the event asks for. */
export async function runBackup(job: BackupJob): Promise<BackupResult | PlanResult | CopyResult | HoldResult> {
  switch (job.event.step) {
    case 'plan':
      return await runPlan(job);
    case 'copy':
      return await runCopy(job);
    case 'hold':
      return await runHold(job);
    case 'finish':
      return await runFinish(job);
    case 'abort':
      return await runAbort(job);
    default:
      return await runInline(job);
  }
}
