// Migrations with a deployment: a function of its own that can only go up, and the trigger that invokes it when there are new files.
// See docs/decisions/0022-migrate-at-deploy.md.
import { join } from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import { Trigger } from 'aws-cdk-lib/triggers';
import type { Construct } from 'constructs';
import type { MigrateAtDeployEnvironment } from '../functions/migrate/environment.ts';
import { projectRoot } from './function-bundle.ts';
import { mayMigrate, migrateEnvironment } from './migrate-function.ts';
import { migrationChecksum } from './migration-checksum.ts';
import { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** CloudFormation waits for its own function 15 minutes at the most. */
const TRIGGER_TIMEOUT = Duration.minutes(14);

/** A minute before the trigger stops listening: the SDK would invoke once more what did not answer in time. */
const LONGEST_SECONDS = 13 * 60;

/** The function and its trigger; a migration that fails fails the deployment, one that is left running does not. */
export function migrateAtDeploy(scope: Construct, parts: StackParts): Trigger {
  const { config } = parts;
  const environment: MigrateAtDeployEnvironment = {
    ...migrateEnvironment(parts),
    STACK_NAME: Stack.of(scope).stackName,
  };
  const { handler } = new ScheduledFunction(scope, 'MigrateAtDeploy', {
    job: 'migrate',
    part: 'at-deploy',
    parts,
    settings: { ...config.migrate, timeoutSeconds: Math.min(config.migrate.timeoutSeconds, LONGEST_SECONDS) },
    environment,
    usesDatabase: true,
    retriesOfFailedEvent: 0,
    schedules: [],
    startedBy: 'deployment',
    statements: mayMigrate(parts),
  });
  // An update of the trigger never invokes; only a trigger with a new name does, and the old one is deleted without a call.
  const checksum = migrationChecksum(join(projectRoot, 'sql', 'migrations'));
  return new Trigger(scope, `MigrateTrigger${checksum.slice(0, 16)}`, {
    handler,
    timeout: TRIGGER_TIMEOUT,
    executeOnHandlerChange: false,
    // What the function refers to is there before it; not so the rule that lets it in to the database, and the bucket's policy.
    executeAfter: [parts.access, parts.store],
  });
}
