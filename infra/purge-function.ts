// purge: deletes rows past their retention period; in the bucket it may only leave its run record.
import type { Construct } from 'constructs';
import type { PurgeEnvironment } from '../functions/purge/environment.ts';
import { ONE_SESSION } from './connection-budget.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The purge function with its nightly schedule. */
export function purgeFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access } = parts;
  const settings = parts.config.purge;
  const schedule = parts.config.schedules.purge;
  const environment: PurgeEnvironment = {
    ...databaseEnvironment(parts, 'purge', { ...settings, maxConnections: ONE_SESSION }),
    BATCH_ROWS: settings.batchRows?.toString(),
  };
  return new ScheduledFunction(scope, 'Purge', {
    job: 'purge',
    parts,
    settings,
    environment,
    usesDatabase: true,
    // What made a purge fail should be seen before the next one deletes.
    retriesOfFailedEvent: 0,
    schedules: schedule ? [{ name: 'purge', schedule }] : [],
    statements: [
      store.mayPut('PutRunRecord', 'runs/purge/*'),
      store.mayUseKey('kms:GenerateDataKey'),
      ...access.mayRead('purge'),
    ],
  });
}
