// The settings of backup: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, withFallback } from '../shared/read-environment.ts';

export const backupSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...clientToolsSettings,
  PARTS_IN_FLIGHT: withFallback(
    integer({
      summary:
        'Parts of the archive that are uploaded at the same time; memory is this number times the part size (8 MiB at first).',
      example: '4',
      min: 1,
      max: 32,
    }),
    4,
  ),
} as const;

export type BackupEnvironment = EnvironmentVariables<typeof backupSettings>;
