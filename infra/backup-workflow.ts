// The state machine of the backup: the nightly schedule starts it, and it invokes backup and verify and nothing else.
// Its Failures alarm is that of the backup as a whole, so a verification that fails is told by it too.
import type { Construct } from 'constructs';
import { backupDefinition } from './backup-states.ts';
import { invokedFunction, JobWorkflow } from './job-workflow.ts';
import type { ScheduledFunction } from './scheduled-function.ts';
import type { StackParts } from './stack-parts.ts';

/** Time for the verification after the longest life of a snapshot. */
const AFTER_SNAPSHOT_SECONDS = 3_600;

/** The workflow of the backup with its daily schedule. */
export function backupWorkflow(
  scope: Construct,
  parts: StackParts,
  { backup, verify }: { backup: ScheduledFunction; verify: ScheduledFunction },
): JobWorkflow {
  const { config } = parts;
  const settings = config.backup;
  return new JobWorkflow(scope, 'BackupWorkflow', {
    job: 'backup',
    parts,
    definition: backupDefinition({
      backup: invokedFunction(backup, settings),
      verify: invokedFunction(verify, config.verify),
      snapshotHolder: settings.snapshotHolder,
      relayShiftSeconds: settings.relayShiftSeconds,
      timeoutSeconds: settings.snapshotLifeSeconds + AFTER_SNAPSHOT_SECONDS,
    }),
    invoked: [backup, verify],
    runsItems: true,
    schedules: [{ name: 'backup', schedule: config.schedules.backup }],
    failure: `The backup of ${config.name} or its verification failed, ran out of time or was stopped.`,
  });
}
