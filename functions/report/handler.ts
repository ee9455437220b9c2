// Lambda entry point of report: at a fixed time after the other jobs. Needs only the bucket.
import { jobHandler } from '../shared/job-handler.ts';
import { reportEvent } from './contract.ts';
import { reportSettings } from './environment.ts';
import { runReport } from './run-report.ts';

export const handler = jobHandler({
  job: 'report',
  settings: reportSettings,
  event: reportEvent,
  run: async ({ settings, store, clock, log, runId }) =>
    await runReport({
      store,
      clock,
      log,
      runId,
      database: settings.DATABASE_NAME,
      expectedJobs: settings.EXPECTED_JOBS,
      limits: { verifiedHours: settings.VERIFIED_MAX_AGE_HOURS, drillHours: settings.DRILL_MAX_AGE_HOURS },
    }),
});
