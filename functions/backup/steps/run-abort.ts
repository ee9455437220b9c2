// Step abort of the workflow: undoes a distributed backup that has failed, and fails with the reason.

import { claimOf } from '../../shared/backup-claims.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { readableCause } from '../../shared/workflow-cause.ts';
import type { BackupJob } from '../run-backup.ts';
import { endHolder } from '../snapshot/hold-snapshot.ts';
import { openSource } from '../snapshot/open-source.ts';
import { undo } from './run-inline.ts';
import { readPlan } from './stored-plan.ts';

/** Always throws `backup.aborted`, after the snapshot was let go, the uploads were aborted and the attempt was marked. */
export async function runAbort(job: BackupJob): Promise<never> {
  const { event, log } = job;
  const { backupId } = event;
  const cause = readableCause(event.cause ?? '');
  if (backupId !== undefined) {
    await refuseForeign(job, backupId);
    const source = openSource(job);
    await source
      .withSession(async (control) => await endHolder(control, backupId))
      .catch((error: unknown) => {
        // It ends by itself as soon as nobody of this backup is seen; the uploads must go all the same.
        log.warn('backup.holder_not_ended', { problem: describeError(error) });
      });
    await source.close();
    await undo(job, claimOf(backupId), cause);
  }
  throw new JobFailure({
    code: 'backup.aborted',
    problem: `backup ${backupId ?? '(not begun)'} failed: ${cause}`,
    safeState: 'Its uploads were aborted, its snapshot was let go, and no backup was recorded',
    hint: 'look in the log for the step that failed first; the next attempt may begin at once',
  });
}

/** A backup that is whole, or that another execution makes, is nothing to abort. */
async function refuseForeign({ event, settings, store }: BackupJob, backupId: string): Promise<void> {
  const database = settings.DATABASE_NAME;
  const isMade = (await store.head(backupKeys(database, backupId).manifest)) !== undefined;
  const plan = await readPlan(store, database, backupId);
  if (!isMade && (plan === undefined || plan.executionId === event.executionId)) return;
  throw new JobFailure({
    code: 'backup.aborted',
    problem: isMade
      ? `backup ${backupId} is complete and was not aborted, although a later step failed: ${readableCause(event.cause ?? '')}`
      : `backup ${backupId} belongs to another execution and was not aborted`,
    safeState: 'Nothing was changed',
    hint: 'look in the log for the step that failed first',
  });
}
