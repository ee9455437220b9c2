// The settings of expire: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer } from '../shared/read-environment.ts';

export const expireSettings = {
  DATABASE_NAME: databaseSettings.DATABASE_NAME,
  ...backupStoreSettings,
  KEEP_LAST: integer({
    summary:
      'How many of the newest backups are kept. It has no default: nothing is deleted by a policy that nobody wrote.',
    example: '30',
    min: 1,
    max: 10_000,
  }),
} as const;

export type ExpireEnvironment = EnvironmentVariables<typeof expireSettings>;
