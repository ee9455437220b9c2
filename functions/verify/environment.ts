// The settings of verify: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, optional, withFallback } from '../shared/read-environment.ts';

export const verifySettings = {
  DATABASE_NAME: databaseSettings.DATABASE_NAME,
  ...backupStoreSettings,
  ...clientToolsSettings,
  VERIFY_READERS: withFallback(
    integer({
      summary: 'Ranges and large objects that one function reads back at the same time; each takes some MiB.',
      example: '2',
      min: 1,
      max: 16,
    }),
    2,
  ),
  VERIFY_STEPS: withFallback(
    integer({
      summary: 'Read steps of a distributed verification that run at the same time.',
      example: '8',
      min: 1,
      max: 100,
    }),
    8,
  ),
  VERIFY_INLINE_LIMIT_GIB: withFallback(
    integer({
      summary:
        'Up to this size of what is stored the whole backup is read back in one function; above, by the steps of the workflow.',
      example: '8',
      min: 0,
      max: 1_000,
    }),
    8,
  ),
  VERIFY_SAMPLES: optional(
    integer({
      summary:
        'Reads back only one of this many samples in each run, another one each time; a backup is verified when all of them were read. Leave it out to read everything.',
      example: '7',
      min: 1,
      max: 1_000,
    }),
  ),
} as const;

export type VerifyEnvironment = EnvironmentVariables<typeof verifySettings>;
