// The settings of migrate: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import type { EnvironmentVariables } from '../shared/read-environment.ts';

export const migrateSettings = { ...databaseSettings, ...backupStoreSettings } as const;

export type MigrateEnvironment = EnvironmentVariables<typeof migrateSettings>;
