// The settings of migrate: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, text, withFallback } from '../shared/read-environment.ts';

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

/** Those of the function that a deployment invokes. */
export const migrateAtDeploySettings = {
  ...migrateSettings,
  STACK_NAME: text({
    summary: 'Only in the function that a deployment invokes: the stack, which its runs name as who asked for them.',
    example: 'Nightshift-orders',
    pattern: /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
    allowed: 'the name of a stack',
  }),
} as const;

export type MigrateAtDeployEnvironment = EnvironmentVariables<typeof migrateAtDeploySettings>;
