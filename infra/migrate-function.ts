// migrate: invoked by hand or at deploy; owns the schema of the application, and in the bucket leaves only its run record.
import type { Construct } from 'constructs';
import type { MigrateEnvironment } from '../functions/migrate/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The migrate function, without a schedule. */
export function migrateFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access } = parts;
  const settings = parts.config.migrate;
  const environment: MigrateEnvironment = databaseEnvironment(parts, 'migrate', settings);
  return new ScheduledFunction(scope, 'Migrate', {
    job: 'migrate',
    parts,
    settings,
    environment,
    usesDatabase: true,
    // Rehearsal copies the schema by pg_dump.
    layer: parts.clientLayer,
    // A migration is never tried again by itself.
    retriesOfFailedEvent: 0,
    schedules: [],
    statements: [
      store.mayPut('PutRunRecord', 'runs/migrate/*'),
      store.mayUseKey('kms:GenerateDataKey'),
      ...access.mayRead('migrate'),
    ],
  });
}
