// Lambda entry of the backup job: the whole backup, or one step of the workflow.
import { jobHandler } from '../shared/job-handler.ts';
import { backupEvent } from './contract.ts';
import { backupSettings } from './environment.ts';
import { runBackup } from './run-backup.ts';

export const handler = jobHandler({
  job: 'backup',
  settings: backupSettings,
  event: backupEvent,
  // finish ends a backup well and abort ends it badly: these two leave the job's record.
  isStep: ({ step }) => step === 'plan' || step === 'copy' || step === 'hold',
  run: runBackup,
});
