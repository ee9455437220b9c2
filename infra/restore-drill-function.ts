// restore-drill: reads backups and restores them into a scratch database; writes only its evidence.
import type { Construct } from 'constructs';
import type { RestoreDrillEnvironment } from '../functions/restore-drill/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The restore drill with its schedule by days. */
export function restoreDrillFunction(scope: Construct, parts: StackParts): ScheduledFunction {
  const { store, access } = parts;
  const settings = parts.config.restoreDrill;
  const schedule = parts.config.schedules.restoreDrill;
  const environment: RestoreDrillEnvironment = databaseEnvironment(parts, 'drill', settings);
  return new ScheduledFunction(scope, 'RestoreDrill', {
    job: 'restore-drill',
    parts,
    settings,
    environment,
    usesDatabase: true,
    layer: parts.clientLayer,
    // A second restore at once would double the load on the server.
    retriesOfFailedEvent: 0,
    schedules: schedule ? [{ name: 'restore-drill', schedule }] : [],
    statements: [
      store.mayGet('ReadBackups', '*/archive/*', '*/globals.sql', '*/inventory.json', '*/manifest.json'),
      store.mayList('FindBackups', ['s3:ListBucket'], '*'),
      store.mayPut('PutEvidence', '*/drilled/*', 'runs/restore-drill/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
      ...access.mayRead('drill'),
    ],
  });
}
