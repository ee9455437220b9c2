// The state machine of the restore drill: its schedule starts it, and it invokes the drill function until everything is
// restored and compared, however long that takes.
import type { Construct } from 'constructs';
import { invokedFunction, JobWorkflow } from './job-workflow.ts';
import { restoreDrillDefinition } from './restore-drill-states.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** The workflow of the drill with its schedule by days. */
export function restoreDrillWorkflow(scope: Construct, parts: StackParts, drill: ScheduledFunction): JobWorkflow {
  const { config } = parts;
  const schedule = config.schedules.restoreDrill;
  return new JobWorkflow(scope, 'RestoreDrillWorkflow', {
    job: 'restore-drill',
    parts,
    definition: restoreDrillDefinition({
      drill: invokedFunction(drill, config.restoreDrill),
      timeoutSeconds: config.restoreDrill.longestHours * 3_600,
    }),
    invoked: [drill],
    runsItems: false,
    schedules: schedule ? [{ name: 'restore-drill', schedule }] : [],
    failure: `The restore drill of ${config.name} failed, ran out of time or was stopped.`,
  });
}
