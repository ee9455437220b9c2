// The schema of the job sections in nightshift.config.ts: time, memory, sessions and what is particular to a job.
import { z } from 'zod';
import { healthSettings } from '../functions/health/environment.ts';
import { backupSection, verifySection } from './backup-config.ts';
import { drillSection } from './drill-config.ts';
import { expiryFields } from './expiry-config.ts';
import { loneFunctionSettings, sessionSettings } from './function-config.ts';
import { migrateSection } from './migrate-config.ts';
import { purgeSection } from './purge-config.ts';

/** One section for each job; only expire, which deletes backups, must be written. */
export const jobConfigShape = {
  backup: backupSection,
  verify: verifySection,
  restoreDrill: drillSection,
  purge: purgeSection,
  health: z
    .strictObject(
      { ...loneFunctionSettings({ timeoutSeconds: 120, memoryMiB: 512 }), ...sessionSettings(healthSettings) },
      'must be the settings of health',
    )
    .prefault({}),
  migrate: migrateSection,
  bootstrap: z
    .strictObject(loneFunctionSettings({ timeoutSeconds: 300, memoryMiB: 512 }), 'must be the settings of bootstrap')
    .prefault({}),
  expire: z.strictObject(
    {
      ...loneFunctionSettings({ timeoutSeconds: 900, memoryMiB: 512 }),
      ...expiryFields,
    },
    'must be { keep, keepAtLeast, keepUnverifiedDays }: which backups are kept',
  ),
  report: z
    .strictObject(loneFunctionSettings({ timeoutSeconds: 300, memoryMiB: 512 }), 'must be the settings of report')
    .prefault({}),
};
