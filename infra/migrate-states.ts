// The states of migrate, in Amazon States Language with JSONPath. Pure: ARNs and numbers in, states out.
// up or down, again and again until it answers "done". A statement that outlives the function is left to the server between two passes.
import { type InvokedFunction, lambdaTask, retries } from './lambda-task.ts';

interface WorkflowParts {
  migrate: InvokedFunction;
  /** Between two passes. */
  pollSeconds: number;
  /** After this the whole workflow is over; what the server runs goes on. */
  timeoutSeconds: number;
}

/** The definition of the state machine; its input is an event of migrate for `up` or `down`. */
export function migrateDefinition({
  migrate,
  pollSeconds,
  timeoutSeconds,
}: WorkflowParts): Readonly<Record<string, unknown>> {
  const caught = { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'MigrateFailed' }] };
  const isPresent = (field: string) => ({ Variable: `$.event.${field}`, IsPresent: true });
  const isAction = (action: string) => [isPresent('action'), { Variable: '$.event.action', StringEquals: action }];
  return {
    Comment: 'Applies or reverts migrations, and waits for statements that run longer than a function may',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'Begin',
    States: {
      Begin: {
        Type: 'Pass',
        // Whatever else it says is checked by the function; for another job it is nothing.
        Parameters: { own: { job: 'migrate' } },
        Next: 'MakeEvent',
      },
      MakeEvent: {
        Type: 'Pass',
        Parameters: { 'event.$': 'States.JsonMerge($$.Execution.Input, $.own, false)' },
        Next: 'IsRun',
      },
      // A dry run and the other actions have an answer that this loop could not end with, and need no loop.
      IsRun: {
        Type: 'Choice',
        Choices: [
          {
            And: [isPresent('dryRun'), { Variable: '$.event.dryRun', BooleanEquals: true }],
            Next: 'WrongInput',
          },
          { And: isAction('up'), Next: 'Run' },
          { And: [...isAction('down'), isPresent('to')], Next: 'Run' },
          { And: isAction('down'), Next: 'AskTarget' },
        ],
        Default: 'WrongInput',
      },
      // A down without a target means one file: asked for a second time it would revert a second one. So it is asked once which
      // file that is, and every pass and every retry names the target.
      AskTarget: lambdaTask(migrate, {
        payload: { job: 'migrate', action: 'status' },
        // It only reads.
        retry: retries.any,
        keep: ['downTo'],
        at: '$.asked',
        go: { ...caught, Next: 'NameTarget' },
      }),
      NameTarget: { Type: 'Pass', InputPath: '$.asked.downTo', ResultPath: '$.event.to', Next: 'Run' },
      Run: lambdaTask(migrate, {
        payload: '$.event',
        // What is committed is recorded with it, and two passes cannot work beside each other: the second finds the lock taken.
        // A failure that the function tells is not tried again: it is a statement that failed or a person who has to decide.
        retry: retries.unansweredWithLock,
        keep: ['status', 'current', 'halfDone', 'running'],
        at: '$.pass',
        go: { ...caught, Next: 'IsDone' },
      }),
      IsDone: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.pass.status', StringEquals: 'running', Next: 'Pause' },
          { Variable: '$.pass.status', StringEquals: 'done', Next: 'Done' },
        ],
        Default: 'MigrateFailed',
      },
      Pause: { Type: 'Wait', Seconds: pollSeconds, Next: 'Run' },
      Done: { Type: 'Succeed', OutputPath: '$.pass' },
      WrongInput: {
        Type: 'Fail',
        Error: 'WrongInput',
        Cause:
          'The workflow takes the events of migrate for up and down that are no dry run. Nothing was run. For anything else invoke the function',
      },
      MigrateFailed: {
        Type: 'Fail',
        Error: 'MigrateFailed',
        Cause:
          'The migration failed; migrate.failed in the log of its function says why. What was committed before is recorded: ask for the status',
      },
    },
  };
}
