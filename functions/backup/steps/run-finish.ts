// Step finish of the workflow: joins what all groups have copied into a backup, and lets the snapshot go.

import { attemptOverSince, claimOf } from '../../shared/backup-claims.ts';
import { backupKeys } from '../../shared/backup-layout.ts';
import { asJobFailure } from '../../shared/database-errors.ts';
import { describeError } from '../../shared/job-failure.ts';
import type { BackupResult } from '../contract.ts';
import { accountForWork, incomplete } from '../finish/account-for-work.ts';
import { recordBackup } from '../finish/record-backup.ts';
import type { BackupJob } from '../run-backup.ts';
import { endHolder } from '../snapshot/hold-snapshot.ts';
import { openSource } from '../snapshot/open-source.ts';
import { describeMade } from './run-inline.ts';
import { readAllWork, readPlan } from './stored-plan.ts';

/** The backup, once every group is accounted for; started again after its manifest was written, it answers the same. */
export async function runFinish(job: BackupJob): Promise<BackupResult> {
  const { event, settings, store, clock, log } = job;
  const { backupId = '' } = event;
  const database = settings.DATABASE_NAME;
  const plan = await readPlan(store, database, backupId);
  if (plan?.executionId !== event.executionId || !plan) {
    throw incomplete(`backup ${backupId} has ${plan ? 'a plan of another execution' : 'no plan'}`);
  }
  if (await store.head(backupKeys(database, backupId).manifest)) return await describeMade(job, backupId);
  // A zombie must not complete what another attempt may have taken over by now.
  if (await attemptOverSince(store, clock, database, backupId)) {
    throw incomplete(`attempt ${claimOf(backupId).attempt} at backup ${backupId} was given up or its time is over`);
  }
  const works = await readAllWork(store, plan);
  accountForWork(plan, works);
  const source = openSource(job);
  try {
    // Everything is copied: from here on the snapshot only holds back vacuum.
    await source.withSession(async (control) => await endHolder(control, backupId));
  } catch (error) {
    // It ends by itself as soon as it is alone; the backup is whole all the same.
    log.warn('backup.holder_not_ended', {
      problem: describeError(asJobFailure(error, { during: 'the clean-up', safeState: '' })),
    });
  } finally {
    await source.close();
  }
  return await recordBackup(job, plan, works);
}
