// The states of purge, in Amazon States Language with JSONPath. Pure: ARNs and numbers in, states out.
// The same event again and again until the answer is "complete"; what the server needs time for is waited for here, unpaid.
import { type InvokedFunction, lambdaTask, retries } from './lambda-task.ts';

interface WorkflowParts {
  purge: InvokedFunction;
  /** After this the whole workflow is over, pauses included. */
  timeoutSeconds: number;
}

/**
 * The shortest pause, also after a pass that answers "at once" and has done nothing: without it such passes would follow each
 * other within a second, until Step Functions ends the execution with too long a history.
 */
export const SHORTEST_PAUSE_SECONDS = 30;

/** The definition of the state machine; its input is an event of purge that is no dry run. */
export function purgeDefinition({ purge, timeoutSeconds }: WorkflowParts): Readonly<Record<string, unknown>> {
  const answer = '$.pass';
  return {
    Comment: 'Purges until every policy is carried out, and waits whenever the server needs time',
    TimeoutSeconds: timeoutSeconds,
    StartAt: 'Begin',
    States: {
      Begin: {
        Type: 'Pass',
        // Whatever else it says is checked by the function; for another job it is nothing.
        // By the execution the passes know each other: what one of them has finished, the next does not begin again.
        Parameters: { own: { job: 'purge', 'executionId.$': '$$.Execution.Id' } },
        Next: 'MakeEvent',
      },
      MakeEvent: {
        Type: 'Pass',
        Parameters: { 'event.$': 'States.JsonMerge($$.Execution.Input, $.own, false)' },
        Next: 'IsRun',
      },
      // A dry run has an answer that this loop would drop, and needs no loop.
      IsRun: {
        Type: 'Choice',
        Choices: [
          {
            And: [
              { Variable: '$.event.dryRun', IsPresent: true },
              { Variable: '$.event.dryRun', BooleanEquals: true },
            ],
            Next: 'WrongInput',
          },
        ],
        Default: 'Run',
      },
      Run: lambdaTask(purge, {
        payload: '$.event',
        // What is committed is recorded with it, and two passes cannot work beside each other: the second finds the lock taken.
        // A failure that the function tells is not tried again: somebody should see it before the next pass deletes.
        retry: retries.unansweredWithLock,
        // Of an answer that may name hundreds of partitions, what decides on the next state: every event of the history holds it.
        keep: ['complete', 'waitSeconds', 'rowsDone'],
        at: answer,
        go: {
          Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'PurgeFailed' }],
          Next: 'IsComplete',
        },
      }),
      IsComplete: {
        Type: 'Choice',
        Choices: [
          { Variable: `${answer}.complete`, BooleanEquals: true, Next: 'Done' },
          { Variable: `${answer}.waitSeconds`, NumericGreaterThan: SHORTEST_PAUSE_SECONDS, Next: 'Pause' },
          {
            And: [
              { Variable: `${answer}.waitSeconds`, NumericEquals: 0 },
              { Variable: `${answer}.rowsDone`, NumericGreaterThan: 0 },
            ],
            Next: 'Run',
          },
        ],
        Default: 'ShortPause',
      },
      Pause: { Type: 'Wait', SecondsPath: `${answer}.waitSeconds`, Next: 'Run' },
      ShortPause: { Type: 'Wait', Seconds: SHORTEST_PAUSE_SECONDS, Next: 'Run' },
      Done: { Type: 'Succeed', OutputPath: answer },
      WrongInput: {
        Type: 'Fail',
        Error: 'WrongInput',
        Cause:
          'The workflow takes the events of purge that are no dry run. Nothing was run. For a dry run invoke the function',
      },
      PurgeFailed: {
        Type: 'Fail',
        Error: 'PurgeFailed',
        Cause:
          'The purge failed; purge.failed in the log of its function says why. What was committed before stays and is recorded in nightshift.purge_run; the next run goes on there',
      },
    },
  };
}
