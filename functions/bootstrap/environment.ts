// The settings of bootstrap: the contract between infra and this function.
import { backupStoreSettings, databaseSettings } from '../shared/environment.ts';
import { type EnvironmentVariables, integer, text } from '../shared/read-environment.ts';

const roleSecret = (role: string) =>
  text({
    summary: `ARN of the secret whose password the role nightshift_${role} gets.`,
    example: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:nightshift/orders/${role}-AbCdEf`,
  });

const { DATABASE_NAME, DATABASE_CA_FILE, UNSAFE_DATABASE_TLS } = databaseSettings;

export const bootstrapSettings = {
  DATABASE_NAME,
  DATABASE_CA_FILE,
  UNSAFE_DATABASE_TLS,
  ...backupStoreSettings,
  ADMIN_SECRET_ARN: text({
    summary: 'ARN of the secret of the administrator (rds_superuser); it needs only username and password.',
    example: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-AbCdEf',
  }),
  DATABASE_HOST: text({ summary: 'Host of the writer.', example: 'orders.abc.eu-central-1.rds.amazonaws.com' }),
  DATABASE_PORT: integer({ summary: 'Port of the server.', example: '5432', min: 1, max: 65_535 }),
  DATABASE_DBNAME: text({ summary: 'Database to look after.', example: 'orders' }),
  BACKUP_SECRET_ARN: roleSecret('backup'),
  DRILL_SECRET_ARN: roleSecret('drill'),
  PURGE_SECRET_ARN: roleSecret('purge'),
  HEALTH_SECRET_ARN: roleSecret('health'),
  MIGRATE_SECRET_ARN: roleSecret('migrate'),
} as const;

export type BootstrapEnvironment = EnvironmentVariables<typeof bootstrapSettings>;
