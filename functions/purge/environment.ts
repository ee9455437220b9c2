// The settings of purge: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, withFallback } from '../shared/read-environment.ts';

export const purgeSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  BATCH_ROWS: withFallback(
    integer({
      summary: 'Rows that one transaction deletes; more hold their locks for longer.',
      example: '5000',
      min: 1,
      max: 100_000,
    }),
    5_000,
  ),
} as const;

export type PurgeEnvironment = EnvironmentVariables<typeof purgeSettings>;
