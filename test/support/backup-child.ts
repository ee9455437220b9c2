// A process of its own that makes one backup with the settings it gets as JSON, so that a test can kill it with -9.
import { backupEvent } from '../../functions/backup/contract.ts';
import type { BackupJob } from '../../functions/backup/run-backup.ts';
import { runInline } from '../../functions/backup/steps/run-inline.ts';
import { recordedContext } from './job-context.ts';

const {
  settings,
  scheduledTime,
  timeLimitMs,
}: Pick<BackupJob, 'settings' | 'timeLimitMs'> & { scheduledTime: string } = JSON.parse(process.argv[2] ?? '{}');

const event = backupEvent.parse({ job: 'backup', scheduledTime });
console.log(JSON.stringify(await runInline({ ...recordedContext(), settings, event, timeLimitMs })));
