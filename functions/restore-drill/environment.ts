// The settings of restore-drill: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import type { EnvironmentVariables } from '../shared/read-environment.ts';

export const restoreDrillSettings = { ...databaseSettings, ...backupStoreSettings, ...clientToolsSettings } as const;

export type RestoreDrillEnvironment = EnvironmentVariables<typeof restoreDrillSettings>;
