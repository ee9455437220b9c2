// The settings of migrate: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, withFallback } from '../shared/read-environment.ts';

export const migrateSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...clientToolsSettings,
  LOCK_ATTEMPTS: withFallback(
    integer({
      summary:
        'How often a unit of a migration is tried when a lock does not come within LOCK_TIMEOUT_MS. Between the tries, 0.5 to 30 s, it holds no lock; statements with CONCURRENTLY are never tried again by themselves.',
      example: '10',
      min: 1,
      max: 100,
    }),
    10,
  ),
} as const;

export type MigrateEnvironment = EnvironmentVariables<typeof migrateSettings>;
