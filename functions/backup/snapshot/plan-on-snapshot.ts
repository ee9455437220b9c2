// Takes a snapshot and makes the plan on it, and takes a fresh one when a table was changed in the wrong moment.

import type { Claim } from '../../shared/backup-claims.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { BackupPlan } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { holdSchemaLock } from './hold-schema-lock.ts';
import { type OpenSnapshot, openSnapshot } from './open-snapshot.ts';
import { applicationNameOf } from './open-source.ts';

/** A table that changes in the wrong moment costs a snapshot, not the backup; the third time somebody has to look. */
const MOST_SNAPSHOTS = 3;

interface PlannedSnapshot {
  session: DatabaseSession;
  snapshot: OpenSnapshot;
  plan: BackupPlan;
}

interface SnapshotRequest {
  job: BackupJob;
  source: Database;
  claim: Claim;
  executionId: string;
  workers: number;
}

/**
 * Runs `use` with the plan and the session that holds its snapshot and its locks; the session ends after `use`.
 *
 * After three snapshots it throws `backup.table_rewritten` or `backup.table_locked`, which name the table.
 */
export async function planOnSnapshot<T>(
  request: SnapshotRequest,
  use: (planned: PlannedSnapshot) => Promise<T>,
): Promise<T> {
  const { job, source, claim } = request;
  const applicationName = applicationNameOf(claim.backupId);
  for (let attempt = 1; ; attempt += 1) {
    let isOpen = false;
    try {
      return await source.withSession(async (session) => {
        await session.query("select pg_catalog.set_config('application_name', $1, false)", [applicationName]);
        await holdSchemaLock(session, job.clock, job.signal);
        const snapshot = await openSnapshot(job, source, session, applicationName);
        isOpen = true;
        const plan = await makePlan({ ...request, session, snapshot, applicationName });
        return await use({ session, snapshot, plan });
      });
    } catch (error) {
      const isChanged =
        error instanceof JobFailure &&
        (error.code === 'backup.table_rewritten' || error.code === 'backup.table_locked');
      if (isOpen || !isChanged || attempt === MOST_SNAPSHOTS) throw error;
      job.log.warn('backup.snapshot_given_up', { snapshot: attempt, problem: error.problem });
    }
  }
}
