// The states of the backup workflow, in Amazon States Language with JSONPath. Pure: ARNs and numbers in, states out.
// plan → one function, or many copy steps and finish → verification. Whatever fails in between is aborted.
import { type InvokedFunction, lambdaTask, retries, type State } from './lambda-task.ts';
import { verifyStates } from './verify-states.ts';

export interface WorkflowParts {
  backup: InvokedFunction;
  verify: InvokedFunction;
  snapshotHolder: 'server' | 'relay';
  relayShiftSeconds: number;
  /** After this the whole workflow is over. */
  timeoutSeconds: number;
}

/** What every step of this backup says of itself. */
const STEP = { job: 'backup', 'executionId.$': '$.executionId' };
const OF_BACKUP = { ...STEP, 'backupId.$': '$.plan.backupId' };

/** The definition of the state machine. */
export function backupDefinition(parts: WorkflowParts): Readonly<Record<string, unknown>> {
  return {
    Comment: 'One backup and its verification',
    TimeoutSeconds: parts.timeoutSeconds,
    StartAt: 'Begin',
    States: {
      ...beginningStates(),
      ...planningStates(parts),
      ...(parts.snapshotHolder === 'relay' ? relayState(parts) : distributedStates(parts, 'server')),
      ...abortStates(parts),
      ...verifyStates(parts.verify),
    },
  };
}

/** The event of the backup: what the execution was started with (scheduledTime, requestedBy) and who it is. */
function beginningStates(): Record<string, State> {
  return {
    Begin: {
      Type: 'Pass',
      Parameters: {
        'executionId.$': '$$.Execution.Id',
        own: { job: 'backup', 'executionId.$': '$$.Execution.Id' },
        asPlan: { step: 'plan' },
        // Not every error of Step Functions comes with a cause, and a path to nothing would end the workflow at once.
        untold: { Cause: 'Step Functions told no cause' },
      },
      Next: 'MakeEvent',
    },
    MakeEvent: {
      Type: 'Pass',
      Parameters: { 'inline.$': 'States.JsonMerge($$.Execution.Input, $.own, false)' },
      ResultPath: '$.event',
      Next: 'Plan',
    },
  };
}

function planningStates({ backup }: WorkflowParts): Record<string, State> {
  return {
    Plan: lambdaTask(backup, {
      payload: 'States.JsonMerge($.asPlan, $.event.inline, false)',
      // A plan that was begun holds a claim and a snapshot; what may go on with them is decided in the function.
      retry: retries.service,
      keep: ['mode', 'backupId', 'groups', 'concurrency'],
      at: '$.plan',
      go: { Catch: catchAll('TellCause'), Next: 'ChooseBackup' },
    }),
    ChooseBackup: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.plan.mode', StringEquals: 'inline', Next: 'Inline' },
        { Variable: '$.plan.mode', StringEquals: 'made', Next: 'AlreadyMade' },
        { Variable: '$.plan.mode', StringEquals: 'distributed', Next: 'Distributed' },
      ],
    },
    // It undoes by itself what it has begun, so its failure is the failure of the workflow.
    Inline: lambdaTask(backup, {
      payload: '$.event.inline',
      retry: retries.service,
      keep: ['backupId'],
      at: '$.made',
      go: { Next: 'VerifyPlan' },
    }),
    AlreadyMade: {
      Type: 'Pass',
      Parameters: { 'backupId.$': '$.plan.backupId' },
      ResultPath: '$.made',
      Next: 'VerifyPlan',
    },
  };
}

/** All groups of the plan, then the join; `Distributed` is its first state. */
function distributedStates({ backup }: WorkflowParts, holder: 'server' | 'relay'): Record<string, State> {
  const isBranch = holder === 'relay';
  // In a relay the Parallel state around them catches: with a Catch of their own the holders would go on holding.
  const caught = isBranch ? {} : { Catch: catchAll('TellCause') };
  return {
    [isBranch ? 'CopyGroups' : 'Distributed']: {
      Type: 'Map',
      Label: 'CopyGroups',
      ItemsPath: '$.plan.groups',
      MaxConcurrencyPath: '$.plan.concurrency',
      // Children have execution ids of their own, so that of the backup goes with them.
      ItemSelector: {
        'executionId.$': '$.executionId',
        'backupId.$': '$.plan.backupId',
        'group.$': '$$.Map.Item.Value',
        next: { pass: 1 },
      },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Copy',
        States: copyStates(backup),
      },
      ResultPath: null,
      ...caught,
      Next: 'Finish',
    },
    Finish: lambdaTask(backup, {
      payload: { ...OF_BACKUP, step: 'finish' },
      retry: retries.unanswered,
      keep: ['backupId'],
      at: '$.made',
      go: isBranch ? { End: true } : { ...caught, Next: 'VerifyPlan' },
    }),
  };
}

/** One group: copy until it is done; each pass goes on where the one before ran out of time. */
function copyStates(backup: InvokedFunction): Record<string, State> {
  return {
    Copy: lambdaTask(backup, {
      payload: {
        job: 'backup',
        step: 'copy',
        'executionId.$': '$.executionId',
        'backupId.$': '$.backupId',
        'group.$': '$.group',
        'pass.$': '$.next.pass',
      },
      // The same range from the same snapshot gives the same bytes.
      retry: retries.any,
      keep: ['pass', 'done'],
      at: '$.next',
      go: { Next: 'IsCopied' },
    }),
    IsCopied: {
      Type: 'Choice',
      Choices: [{ Variable: '$.next.done', BooleanEquals: true, Next: 'Copied' }],
      Default: 'Copy',
    },
    // Nothing is handed on: the answers of 1,000 groups would not fit into the state of the workflow.
    Copied: { Type: 'Succeed', OutputPath: null },
  };
}

/** Copying beside the two holders, each of which takes over from the other; they end when the backup has ended. */
function relayState(parts: WorkflowParts): Record<string, State> {
  const halfShift = Math.ceil(parts.relayShiftSeconds / 2);
  return {
    Distributed: {
      Type: 'Parallel',
      Branches: [
        {
          StartAt: 'AwaitPlan',
          States: {
            // The first holder makes the plan, in the session that keeps the snapshot.
            AwaitPlan: lambdaTask(parts.backup, {
              payload: { ...OF_BACKUP, step: 'plan' },
              retry: retries.unanswered,
              keep: ['backupId', 'groups', 'concurrency'],
              at: '$.plan',
              go: { Next: 'CopyGroups' },
            }),
            ...distributedStates(parts, 'relay'),
          },
        },
        { StartAt: 'HoldFirst', States: holderStates(parts.backup, 'first') },
        {
          StartAt: 'WaitHalfShift',
          States: {
            WaitHalfShift: { Type: 'Wait', Seconds: halfShift, Next: 'HoldSecond' },
            ...holderStates(parts.backup, 'second'),
          },
        },
      ],
      ResultSelector: { 'backupId.$': '$[0].made.backupId' },
      ResultPath: '$.made',
      Catch: catchAll('TellCause'),
      Next: 'VerifyPlan',
    },
  };
}

function holderStates(backup: InvokedFunction, holder: 'first' | 'second'): Record<string, State> {
  const name = holder === 'first' ? 'First' : 'Second';
  return {
    [`Hold${name}`]: lambdaTask(backup, {
      payload: { ...OF_BACKUP, step: 'hold', holder },
      // A holder that was killed has lost the snapshot: a new one would see other rows.
      retry: retries.service,
      keep: ['done'],
      at: '$.hold',
      go: { Next: `Is${name}Done` },
    }),
    [`Is${name}Done`]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.hold.done', BooleanEquals: true, Next: `${name}Done` }],
      Default: `Hold${name}`,
    },
    [`${name}Done`]: { Type: 'Succeed', OutputPath: null },
  };
}

/** The step abort, with the id of the backup once there is one; it leaves the record of the failure and fails itself. */
function abortStates({ backup }: WorkflowParts): Record<string, State> {
  const abort = { step: 'abort', 'cause.$': '$.failure.told.Cause' };
  const failed = { Next: 'BackupFailed' };
  return {
    TellCause: {
      Type: 'Pass',
      Parameters: { 'told.$': 'States.JsonMerge($.untold, $.failure, false)' },
      ResultPath: '$.failure',
      Next: 'IsBegun',
    },
    IsBegun: {
      Type: 'Choice',
      Choices: [{ Variable: '$.plan.backupId', IsPresent: true, Next: 'Abort' }],
      Default: 'AbortUnplanned',
    },
    Abort: lambdaTask(backup, { payload: { ...OF_BACKUP, ...abort }, retry: retries.unanswered, go: failed }),
    AbortUnplanned: lambdaTask(backup, { payload: { ...STEP, ...abort }, retry: retries.unanswered, go: failed }),
    BackupFailed: {
      Type: 'Fail',
      Error: 'BackupFailed',
      Cause: 'The backup failed and was undone; the log of its function names the step that failed first',
    },
  };
}

function catchAll(next: string): readonly State[] {
  return [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: next }];
}
