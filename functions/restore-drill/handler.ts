// Lambda entry of the restore drill: a whole drill, or one step of the workflow.
import { jobHandler } from '../shared/job-handler.ts';
import { restoreDrillEvent } from './contract.ts';
import { restoreDrillSettings } from './environment.ts';
import { runRestoreDrill } from './run-restore-drill.ts';

export const handler = jobHandler({
  job: 'restore-drill',
  settings: restoreDrillSettings,
  event: restoreDrillEvent,
  // finish ends a drill well and abort ends it badly: these two leave the job's record.
  isStep: ({ step }) => step === 'plan' || step === 'work',
  run: runRestoreDrill,
});
