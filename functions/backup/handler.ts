// Lambda entry of the backup job.
import { jobHandler } from '../shared/job-handler.ts';
import { backupEvent } from './contract.ts';
import { backupSettings } from './environment.ts';
import { runBackup } from './run-backup.ts';

export const handler = jobHandler({ job: 'backup', settings: backupSettings, event: backupEvent, run: runBackup });
