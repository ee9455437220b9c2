// The state machine of migrate: somebody starts it, and it invokes the migrate function until nothing is left running, however
// long an index takes. It has no schedule.
import type { Construct } from 'constructs';
import { invokedFunction, JobWorkflow } from './job-workflow.ts';
import { migrateDefinition } from './migrate-states.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The workflow of migrate; its alarm stands beside that of the function, which is also invoked without it. */
export function migrateWorkflow(scope: Construct, parts: StackParts, migrate: ScheduledFunction): JobWorkflow {
  const { config } = parts;
  return new JobWorkflow(scope, 'MigrateWorkflow', {
    job: 'migrate',
    parts,
    definition: migrateDefinition({
      migrate: invokedFunction(migrate, config.migrate),
      pollSeconds: config.migrate.pollSeconds,
      timeoutSeconds: config.migrate.longestHours * 3_600,
    }),
    invoked: [migrate],
    runsItems: false,
    schedules: [],
    failureAlarm: 'migrate-workflow-failures',
    failure: `The workflow of migrate of ${config.name} failed, ran out of time or was stopped.`,
  });
}
