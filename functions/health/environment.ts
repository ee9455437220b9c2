// The settings of health: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, withFallback } from '../shared/read-environment.ts';

export const healthSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  // A check that waits is itself a burden on a server in trouble: it gives up and says "unknown".
  LOCK_TIMEOUT_MS: withFallback(
    integer({
      summary: 'How long a check waits for a lock before it is unknown.',
      example: '100',
      min: 10,
      max: 5_000,
    }),
    100,
  ),
  STATEMENT_TIMEOUT_MS: withFallback(
    integer({
      summary:
        'How long a check may run before it is unknown; the checks of the minute tier never more than 1 s, of the quarter-hour tier 5 s.',
      example: '30000',
      min: 100,
      max: 300_000,
    }),
    30_000,
  ),
} as const;

export type HealthEnvironment = EnvironmentVariables<typeof healthSettings>;
