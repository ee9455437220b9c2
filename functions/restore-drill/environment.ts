// The settings of restore-drill: the contract between infra and this function.
import { backupStoreSettings, clientToolsSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, optional, text, withFallback } from '../shared/read-environment.ts';

/** An identifier of RDS, as RDS stores it and CloudWatch knows it: a name in capitals would find nothing, without an error. */
export const INSTANCE_ID = {
  pattern: /^(?=.{1,63}$)[a-z](?:-?[a-z0-9])*$/,
  allowed: '1 to 63 lower-case letters, digits and single "-", starting with a letter',
};

export const restoreDrillSettings = {
  ...databaseSettings,
  ...backupStoreSettings,
  ...clientToolsSettings,
  OLDER_EVERY_DAYS: withFallback(
    integer({
      summary: 'How often, in days, a random older backup is drilled besides the newest one.',
      example: '7',
      min: 1,
      max: 366,
    }),
    7,
  ),
  DATABASE_INSTANCE_ID: optional(
    text({
      summary:
        'Identifier of the RDS instance that is backed up, to ask CloudWatch for its free storage. Leave it out for Aurora, whose storage grows by itself.',
      example: 'orders-1',
      ...INSTANCE_ID,
    }),
  ),
  DRILL_TARGET_HOST: optional(
    text({
      summary:
        'A server of its own to restore into, instead of the one that is backed up: there ownership and grants are proven too.',
      example: 'drill.c0example.eu-central-1.rds.amazonaws.com',
    }),
  ),
  DRILL_TARGET_PORT: optional(integer({ summary: 'Port of that server.', example: '5432', min: 1, max: 65_535 })),
  DRILL_TARGET_SECRET_ARN: optional(
    text({
      summary: "ARN of the secret with that server's administrator: user name and password, as RDS manages it.",
      example: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-drill-AbCdEf',
    }),
  ),
  DRILL_TARGET_INSTANCE_ID: optional(
    text({
      summary: 'Identifier of the RDS instance of that server, as DATABASE_INSTANCE_ID.',
      example: 'drill-1',
      ...INSTANCE_ID,
    }),
  ),
} as const;

export type RestoreDrillEnvironment = EnvironmentVariables<typeof restoreDrillSettings>;
