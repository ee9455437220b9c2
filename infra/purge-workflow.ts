// The state machine of purge: its schedule starts it, and it invokes the purge function until every policy is carried out,
// however long that takes and whatever has to be waited for.
import type { Construct } from 'constructs';
import { invokedFunction, JobWorkflow } from './job-workflow.ts';
import { purgeDefinition } from './purge-states.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The workflow of purge with its nightly schedule. */
export function purgeWorkflow(scope: Construct, parts: StackParts, purge: ScheduledFunction): JobWorkflow {
  const { config } = parts;
  const schedule = config.schedules.purge;
  return new JobWorkflow(scope, 'PurgeWorkflow', {
    job: 'purge',
    parts,
    definition: purgeDefinition({
      purge: invokedFunction(purge, config.purge),
      timeoutSeconds: config.purge.longestHours * 3_600,
    }),
    invoked: [purge],
    runsItems: false,
    schedules: schedule ? [{ name: 'purge', schedule }] : [],
    failure: `The purge of ${config.name} failed, ran out of time or was stopped.`,
  });
}
