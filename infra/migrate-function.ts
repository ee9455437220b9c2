// migrate: invoked by hand or by its workflow; owns the schema of the application, and in the bucket leaves only its run record.
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { MigrateEnvironment } from '../functions/migrate/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The migrate function, without a schedule. */
export function migrateFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  return new ScheduledFunction(scope, 'Migrate', {
    job: 'migrate',
    parts,
    settings: parts.config.migrate,
    environment: migrateEnvironment(parts),
    usesDatabase: true,
    // Rehearsal copies the schema by pg_dump.
    layer: parts.clientLayer,
    // A migration is never tried again by itself.
    retriesOfFailedEvent: 0,
    schedules: [],
    statements: mayMigrate(parts),
  });
}

/** What both functions of migrate get. */
export function migrateEnvironment(parts: StackParts): MigrateEnvironment {
  return databaseEnvironment(parts, 'migrate', parts.config.migrate);
}

/** What both functions of migrate may do. */
export function mayMigrate({ store, access }: StackParts): PolicyStatement[] {
  return [
    store.mayPut('PutRunRecord', 'runs/migrate/*'),
    store.mayUseKey('kms:GenerateDataKey'),
    ...access.mayRead('migrate'),
  ];
}
