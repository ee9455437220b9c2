// The schema of the job sections in nightshift.config.ts: time, memory, sessions and what is particular to a job.
import { z } from 'zod';
import { healthSettings } from '../functions/health/environment.ts';
import { migrateSettings } from '../functions/migrate/environment.ts';
import { purgeSettings } from '../functions/purge/environment.ts';
import { backupSection, verifySection } from './backup-config.ts';
import { variable, wholeNumber } from './config-fields.ts';
import { drillSection } from './drill-config.ts';
import { expiryFields } from './expiry-config.ts';
import { functionSettings, sessionSettings } from './function-config.ts';

const reservedConcurrency = wholeNumber(1, 10, 'runs')
  .optional()
  .describe(
    'Runs at the same time; leave it out in an account whose limit is low: reserving takes it from all others.',
  );

/** What every function has that works alone. The steps of a workflow run beside each other, so they are not limited. */
function loneFunctionSettings(defaults: { timeoutSeconds: number; memoryMiB: number }) {
  return { ...functionSettings(defaults), reservedConcurrency };
}

/** One section for each job; only expire, which deletes backups, must be written. */
export const jobConfigShape = {
  backup: backupSection,
  verify: verifySection,
  restoreDrill: drillSection,
  purge: z
    .strictObject(
      {
        ...loneFunctionSettings({ timeoutSeconds: 900, memoryMiB: 512 }),
        ...sessionSettings(purgeSettings),
        batchRows: variable(purgeSettings.BATCH_ROWS).optional().describe(purgeSettings.BATCH_ROWS.summary),
      },
      'must be the settings of purge',
    )
    .prefault({}),
  health: z
    .strictObject(
      { ...loneFunctionSettings({ timeoutSeconds: 120, memoryMiB: 512 }), ...sessionSettings(healthSettings) },
      'must be the settings of health',
    )
    .prefault({}),
  migrate: z
    .strictObject(
      {
        ...loneFunctionSettings({ timeoutSeconds: 900, memoryMiB: 1024 }),
        ...sessionSettings(migrateSettings),
        maxConnections: variable(migrateSettings.MAX_CONNECTIONS)
          .default(4)
          .describe(migrateSettings.MAX_CONNECTIONS.summary),
      },
      'must be the settings of migrate',
    )
    .prefault({}),
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
