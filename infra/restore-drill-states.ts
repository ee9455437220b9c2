// The states of the restore drill, in Amazon States Language with JSONPath. Pure: ARNs and numbers in, states out.
// plan → for each chosen backup: work, as often as it takes → finish. Whatever fails in between is aborted.
import { type InvokedFunction, lambdaTask, retries, type State } from './lambda-task.ts';

interface WorkflowParts {
  drill: InvokedFunction;
  /** After this the whole workflow is over. */
  timeoutSeconds: number;
}

/** What every step says of itself. */
const STEP = { job: 'restore-drill', 'executionId.$': '$.executionId' };

/** The definition of the state machine. */
export function restoreDrillDefinition({ drill, timeoutSeconds }: WorkflowParts): Readonly<Record<string, unknown>> {
  const caught = { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'TellCause' }] };
  return {
    Comment: 'Restores the newest backup, and now and then an older one, and compares each',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'Begin',
    States: {
      Begin: {
        Type: 'Pass',
        Parameters: {
          'executionId.$': '$$.Execution.Id',
          own: { job: 'restore-drill', step: 'plan', 'executionId.$': '$$.Execution.Id' },
          // Not every error of Step Functions comes with a cause, and a path to nothing would end the workflow at once.
          untold: { Cause: 'Step Functions told no cause' },
        },
        Next: 'MakeEvent',
      },
      MakeEvent: {
        Type: 'Pass',
        Parameters: { 'plan.$': 'States.JsonMerge($$.Execution.Input, $.own, false)' },
        ResultPath: '$.event',
        Next: 'Plan',
      },
      Plan: lambdaTask(drill, {
        payload: '$.event.plan',
        // It reads, and drops what crashed drills have left.
        retry: retries.unanswered,
        keep: ['drills', 'swept'],
        at: '$.plan',
        go: { ...caught, Next: 'Drills' },
      }),
      Drills: {
        Type: 'Map',
        ItemsPath: '$.plan.drills',
        // One after the other: each needs as much disk as the database.
        MaxConcurrency: 1,
        ItemSelector: { 'executionId.$': '$.executionId', 'drill.$': '$$.Map.Item.Value' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Work',
          States: workStates(drill),
        },
        ResultPath: '$.ended',
        ...caught,
        Next: 'Finish',
      },
      Finish: lambdaTask(drill, {
        payload: { ...STEP, step: 'finish', 'drills.$': '$.ended', 'swept.$': '$.plan.swept' },
        retry: retries.unanswered,
        go: { ...caught, Next: 'Done' },
      }),
      Done: { Type: 'Succeed', OutputPath: '$.ended' },
      ...abortStates(drill),
    },
  };
}

/** Restores and compares one backup: each pass goes on where the one before ran out of time. */
function workStates(drill: InvokedFunction): Record<string, State> {
  return {
    Work: lambdaTask(drill, {
      payload: { ...STEP, step: 'work', 'drill.$': '$.drill' },
      // What is done is recorded in the scratch database, so a second start goes on.
      retry: retries.unanswered,
      keep: ['done', 'drill'],
      at: '$.pass',
      go: { Next: 'IsDone' },
    }),
    IsDone: {
      Type: 'Choice',
      Choices: [{ Variable: '$.pass.done', BooleanEquals: true, Next: 'Drilled' }],
      Default: 'GoOn',
    },
    GoOn: {
      Type: 'Pass',
      Parameters: { 'executionId.$': '$.executionId', 'drill.$': '$.pass.drill' },
      Next: 'Work',
    },
    Drilled: { Type: 'Succeed', OutputPath: '$.pass.drill' },
  };
}

/** The step abort drops what is left of scratch databases, leaves the record of the failure and fails itself. */
function abortStates(drill: InvokedFunction): Record<string, State> {
  const abort = { ...STEP, step: 'abort', 'cause.$': '$.failure.told.Cause' };
  const failed = { Next: 'DrillFailed' };
  return {
    TellCause: {
      Type: 'Pass',
      Parameters: { 'told.$': 'States.JsonMerge($.untold, $.failure, false)' },
      ResultPath: '$.failure',
      Next: 'IsPlanned',
    },
    IsPlanned: {
      Type: 'Choice',
      Choices: [{ Variable: '$.plan.drills', IsPresent: true, Next: 'Abort' }],
      Default: 'AbortUnplanned',
    },
    Abort: lambdaTask(drill, {
      payload: { ...abort, 'drills.$': '$.plan.drills' },
      retry: retries.unanswered,
      go: failed,
    }),
    AbortUnplanned: lambdaTask(drill, { payload: abort, retry: retries.unanswered, go: failed }),
    DrillFailed: {
      Type: 'Fail',
      Error: 'DrillFailed',
      Cause: 'The restore drill failed; the log of its function names the step that failed first',
    },
  };
}
