// bootstrap: invoked by hand or at deploy; makes the roles. The only function that may read the administrator's secret,
// and the only one that may read more than one role's.
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { BootstrapEnvironment } from '../functions/bootstrap/environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import { secretRoles } from './secret-role.ts';
import type { StackParts } from './stack-parts.ts';

/** The bootstrap function, without a schedule. */
export function bootstrapFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access, config } = parts;
  const environment: BootstrapEnvironment = {
    DATABASE_NAME: config.name,
    DATABASE_HOST: config.server.host,
    DATABASE_PORT: String(config.server.port),
    DATABASE_DBNAME: config.server.dbname,
    UNSAFE_DATABASE_TLS: config.unsafeDatabaseTls,
    BACKUP_BUCKET: store.bucket.bucketName,
    ADMIN_SECRET_ARN: config.adminSecretArn,
    BACKUP_SECRET_ARN: access.secretArn('backup'),
    DRILL_SECRET_ARN: access.secretArn('drill'),
    PURGE_SECRET_ARN: access.secretArn('purge'),
    HEALTH_SECRET_ARN: access.secretArn('health'),
    MIGRATE_SECRET_ARN: access.secretArn('migrate'),
  };
  const adminKey =
    config.adminSecretKeyArn === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'UseAdminSecretKey',
            actions: ['kms:Decrypt'],
            resources: [config.adminSecretKeyArn],
            conditions: { StringEquals: { 'kms:EncryptionContext:SecretARN': config.adminSecretArn } },
          }),
        ];
  return new ScheduledFunction(scope, 'Bootstrap', {
    job: 'bootstrap',
    parts,
    settings: config.bootstrap,
    environment,
    usesDatabase: true,
    retriesOfFailedEvent: 0,
    schedules: [],
    statements: [
      new PolicyStatement({
        sid: 'ReadAdminSecret',
        actions: ['secretsmanager:GetSecretValue'],
        resources: [config.adminSecretArn],
      }),
      ...adminKey,
      ...access.mayRead(...secretRoles),
      store.mayPut('PutRunRecord', 'runs/bootstrap/*'),
      store.mayUseKey('kms:GenerateDataKey'),
    ],
  });
}
