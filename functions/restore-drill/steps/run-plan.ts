// Step plan: sweeps what crashed drills have left, chooses the backups, and gives each drill its names.

import { scratchName } from '../../shared/scratch-database.ts';
import { chooseBackups } from '../choose-backups.ts';
import { comparison } from '../compare/comparison.ts';
import type { DrillPlanResult, DrillState } from '../contract.ts';
import { drillScratch, sweepScratchDatabases } from '../drill-scratch.ts';
import { drillServer } from '../drill-server.ts';
import type { RestoreDrillJob } from '../run-restore-drill.ts';

/** The drills to do, one after the other; nothing of them is begun. With dryRun nothing is swept either. */
export async function runPlan(job: RestoreDrillJob): Promise<DrillPlanResult> {
  const { event, settings, store, clock, log } = job;
  const server = drillServer(job);
  try {
    const swept = event.dryRun ? [] : await sweepScratchDatabases(server.database, clock, log);
    const now = clock.now();
    const chosen = await chooseBackups({
      store,
      database: settings.DATABASE_NAME,
      backupId: event.backupId,
      olderEveryDays: settings.OLDER_EVERY_DAYS,
      now,
    });
    // The name of an execution is the end of its ARN.
    const run = (event.executionId?.split(':').at(-1) ?? job.runId).replaceAll(/[^\w-]/g, '-').slice(0, 100);
    const drills = chosen.map(({ manifest: { backupId }, chosenAs }, index): DrillState => {
      const drillId = index === 0 ? run : `${run}-${index + 1}`;
      log.info('restore_drill.backup_chosen', { backup_id: backupId, chosen_as: chosenAs });
      return {
        drillId,
        backupId,
        chosenAs,
        scratch: scratchName(drillScratch, now, `${settings.DATABASE_NAME} ${drillId}`),
        startedAt: now.toISOString(),
        restoreStartedAt: null,
        rtoSeconds: null,
        stepsDone: 0,
        idlePasses: 0,
        storageFindings: null,
        forbidden: [],
        nextItem: 0,
        soFar: comparison({}),
      };
    });
    return { drills, swept };
  } finally {
    await server.database.close();
  }
}
