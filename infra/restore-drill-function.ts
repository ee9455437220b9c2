// restore-drill: reads backups and their evidence and restores them into a scratch database; writes only its own evidence.
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { RestoreDrillEnvironment } from '../functions/restore-drill/environment.ts';
import type { DatabaseConfig } from './config.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';
import { metricActions } from './wildcard-actions.ts';

/** The drill function; restore-drill-workflow.ts starts it. */
export function restoreDrillFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access, config } = parts;
  const settings = config.restoreDrill;
  const { target } = settings;
  const schedule = config.schedules.restoreDrill;
  const environment: RestoreDrillEnvironment = {
    ...databaseEnvironment(parts, 'drill', settings),
    OLDER_EVERY_DAYS: String(settings.olderEveryDays),
    DATABASE_INSTANCE_ID: config.server.instanceId,
    DRILL_TARGET_HOST: target?.host,
    DRILL_TARGET_PORT: target?.port.toString(),
    DRILL_TARGET_SECRET_ARN: target?.secretArn,
    DRILL_TARGET_INSTANCE_ID: target?.instanceId,
  };
  return new ScheduledFunction(scope, 'RestoreDrill', {
    job: 'restore-drill',
    parts,
    settings,
    environment,
    usesDatabase: true,
    layer: parts.clientLayer,
    // The workflow tries again what is worth it.
    retriesOfFailedEvent: 0,
    schedules: schedule ? [{ name: 'restore-drill', schedule }] : [],
    startedBy: 'workflow',
    statements: [
      store.mayGet('ReadBackups', '*/archive/*', '*/manifest.json', '*/inventory.json', '*/verified/*', '*/drilled/*'),
      store.mayList('FindBackups', ['s3:ListBucket'], '*'),
      store.mayPut('PutEvidence', '*/drilled/*', 'runs/restore-drill/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
      // With a target it never logs in on the server that is backed up.
      ...(target === undefined ? access.mayRead('drill') : mayReadTarget(target)),
      ...((target ?? config.server).instanceId === undefined
        ? []
        : [new PolicyStatement({ sid: 'ReadFreeStorage', actions: [...metricActions], resources: ['*'] })]),
    ],
  });
}

function mayReadTarget({
  secretArn,
  secretKeyArn,
}: NonNullable<DatabaseConfig['restoreDrill']['target']>): PolicyStatement[] {
  const read = new PolicyStatement({
    sid: 'ReadTargetSecret',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secretArn],
  });
  if (secretKeyArn === undefined) return [read];
  const useKey = new PolicyStatement({
    sid: 'UseTargetSecretKey',
    actions: ['kms:Decrypt'],
    resources: [secretKeyArn],
    conditions: { StringEquals: { 'kms:EncryptionContext:SecretARN': secretArn } },
  });
  return [read, useKey];
}
