// Step abort of the workflow: drops what is left of its scratch databases, and fails with the reason.
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { dropScratchDatabase } from '../../shared/scratch-database.ts';
import { readableCause } from '../../shared/workflow-cause.ts';
import { drillScratch } from '../drill-scratch.ts';
import { drillServer } from '../drill-server.ts';
import type { RestoreDrillJob } from '../run-restore-drill.ts';

/** Always throws `drill.aborted`. */
export async function runAbort(job: RestoreDrillJob): Promise<never> {
  const { event, log } = job;
  const server = drillServer(job);
  const left: string[] = [];
  try {
    for (const { scratch } of event.drills ?? []) {
      await dropScratchDatabase(server.database, drillScratch, scratch).catch((error: unknown) => {
        left.push(scratch);
        log.error('restore_drill.scratch_not_dropped', { scratch_database: scratch, problem: describeError(error) });
      });
    }
  } finally {
    await server.database.close();
  }
  const state =
    left.length === 0 ? 'Its scratch database was dropped' : `Left: ${left.join(', ')}, which a later drill drops`;
  throw new JobFailure({
    code: 'drill.aborted',
    problem: `the restore drill failed: ${readableCause(event.cause ?? '')}`,
    safeState: `${state}; production and backups are as they were`,
    hint: 'look in the log for the step that failed first',
  });
}
