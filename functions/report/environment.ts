// The settings of report: the contract between infra and this function.
import { ageLimitSettings, backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, text } from '../shared/read-environment.ts';

export const reportSettings = {
  DATABASE_NAME: databaseSettings.DATABASE_NAME,
  ...backupStoreSettings,
  ...ageLimitSettings,
  EXPECTED_JOBS: text({
    summary:
      'The jobs that must have finished, each with the hours within which: the report names those that it did not see.',
    example: 'backup=26,restore-drill=74,health=1',
    pattern: /^[a-z-]+=\d{1,3}(,[a-z-]+=\d{1,3})*$/,
    allowed: 'job=hours, parted by ","',
  }),
} as const;

export type ReportEnvironment = EnvironmentVariables<typeof reportSettings>;
