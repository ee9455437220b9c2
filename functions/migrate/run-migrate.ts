// The actions of migrate: what each needs, and who does it.
import type { Database, SessionLimits } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { type MigrationFolder, readMigrations } from '../shared/migration-files.ts';
import { downTarget } from './choose-migrations.ts';
import type { MigrateEvent, MigrateResult } from './contract.ts';
import { describeState, readProgress, runMigrations } from './engine/run-migrations.ts';
import { planRun } from './plan-run.ts';
import { runBaseline } from './run-baseline.ts';
import { runRepair } from './run-repair.ts';

export interface MigrateContext extends Pick<JobContext, 'runId' | 'log' | 'metrics' | 'clock' | 'signal'> {
  event: MigrateEvent;
  database: Database;
  /** Those of its sessions. */
  limits: SessionLimits;
  folder: MigrationFolder;
  /** False when the connection budget has no second session that could look for lock waits. */
  mayWatch: boolean;
  /** How often a unit is tried when a lock does not come. */
  lockAttempts: number;
  /** Aborted when there is no time left to begin a unit, or to wait for a long one; before `signal`. */
  pause: AbortSignal;
}

/** Carries out the event; what was committed before a failure stays, and is recorded so. */
export async function runMigrate(context: MigrateContext): Promise<MigrateResult> {
  const files = await readMigrations(context.folder, true);
  const { event, database } = context;
  switch (event.action) {
    case 'status':
      return await database.withSession(async (session) => {
        const { state, running } = await readProgress(session, files);
        const changed = state.changed.map(({ migration }) => migration.up.file);
        return {
          action: 'status',
          dryRun: event.dryRun ?? false,
          ...describeState(context, state),
          running,
          changed,
          downTo: downTarget(state),
        };
      });
    case 'up':
    case 'down':
      return event.dryRun === true
        ? await planRun(context, files, event.action)
        : await runMigrations(context, files, event.action);
    case 'baseline':
      return await runBaseline(context, files);
    case 'repair':
      return await runRepair(context, files);
  }
}
