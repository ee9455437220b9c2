// Lambda entry of the restore drill.
import { jobHandler } from '../shared/job-handler.ts';
import { restoreDrillEvent } from './contract.ts';
import { restoreDrillSettings } from './environment.ts';
import { runRestoreDrill } from './run-restore-drill.ts';

export const handler = jobHandler({
  job: 'restore-drill',
  settings: restoreDrillSettings,
  event: restoreDrillEvent,
  run: runRestoreDrill,
});
