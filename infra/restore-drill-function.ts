// restore-drill: reads backups and their evidence and restores them into a scratch database; writes only its own evidence.
import type { Construct } from 'constructs';
import type { RestoreDrillEnvironment } from '../functions/restore-drill/environment.ts';
import { databaseEnvironment } from './database-environment.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The drill function; restore-drill-workflow.ts starts it. */
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
    // The workflow tries again what is worth it.
    retriesOfFailedEvent: 0,
    schedules: schedule ? [{ name: 'restore-drill', schedule }] : [],
    startedBy: 'workflow',
    statements: [
      store.mayGet('ReadBackups', '*/archive/*', '*/manifest.json', '*/inventory.json', '*/verified/*', '*/drilled/*'),
      store.mayList('FindBackups', ['s3:ListBucket'], '*'),
      store.mayPut('PutEvidence', '*/drilled/*', 'runs/restore-drill/*'),
      store.mayUseKey('kms:Decrypt', 'kms:GenerateDataKey'),
      ...access.mayRead('drill'),
    ],
  });
}
