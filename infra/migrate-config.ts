// The schema of the section migrate in nightshift.config.ts, and what its workflow cannot be asked for.
import { z } from 'zod';
import { migrateSettings } from '../functions/migrate/environment.ts';
import { variable, wholeNumber } from './config-fields.ts';
import { loneFunctionSettings, sessionSettings } from './function-config.ts';

export const migrateSection = z
  .strictObject(
    {
      ...loneFunctionSettings({ timeoutSeconds: 900, memoryMiB: 1024 }),
      ...sessionSettings(migrateSettings),
      maxConnections: variable(migrateSettings.MAX_CONNECTIONS)
        .default(4)
        .describe(migrateSettings.MAX_CONNECTIONS.summary),
      pollSeconds: wholeNumber(10, 900, 'seconds')
        .default(60)
        .describe('How long its workflow waits before it looks again at a statement that the server still runs.'),
      longestHours: wholeNumber(1, 168, 'hours')
        .default(24)
        .describe('After this long its workflow is over and reports a failure; what the server runs then goes on.'),
      atDeploy: z
        .boolean('must be true or false')
        .default(false)
        .describe(
          'Apply the pending files with a deployment that brings new ones; a failure fails the deployment. Only once bootstrap has been run: see docs/getting-started.md.',
        ),
    },
    'must be the settings of migrate',
  )
  .prefault({});

/** An execution may have 25,000 events in its history (Step Functions quotas), and a pass makes nine. */
const MOST_PASSES = 2_500;

/** What speaks against the two together, as path below migrate and words; empty for nothing. */
export function pollProblems({
  pollSeconds,
  longestHours,
}: Pick<z.output<typeof migrateSection>, 'pollSeconds' | 'longestHours'>): string[] {
  const least = Math.ceil((longestHours * 3_600) / MOST_PASSES);
  if (pollSeconds >= least) return [];
  return [
    `pollSeconds: is ${pollSeconds}; must be at least ${least} with longestHours ${longestHours}, for Step Functions ends an execution with too long a history`,
  ];
}
