// The settings of health: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import type { EnvironmentVariables } from '../shared/read-environment.ts';

export const healthSettings = { ...databaseSettings, ...backupStoreSettings } as const;

export type HealthEnvironment = EnvironmentVariables<typeof healthSettings>;
