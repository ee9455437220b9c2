// The settings of migrate: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import type { EnvironmentVariables } from '../shared/read-environment.ts';

export const migrateSettings = { ...databaseSettings, ...backupStoreSettings, ...clientToolsSettings } as const;

export type MigrateEnvironment = EnvironmentVariables<typeof migrateSettings>;
