// A failed invocation as Step Functions tells it to Retry and Catch: the name of the error, and the cause as JSON.
import type { Invoked } from '../lambda/invoke-function.ts';

export class LambdaError extends Error {
  constructor(failed: Extract<Invoked['outcome'], { ok: false }>) {
    super(JSON.stringify({ errorType: failed.errorType, errorMessage: failed.message, trace: [] }));
    this.name = failed.errorType;
  }
}

/** What the interpreter may neither retry nor catch: the state machine is past this state. */
export class StateStopped extends Error {
  override readonly name = 'StateStopped';
  readonly isRetryable = false;
  readonly isCatchable = false;
}

/** More than this in an event or an answer ends an execution in AWS: quotas of Step Functions, payload size. */
export const LONGEST_STATE_BYTES = 262_144;

/** An answer or event that Step Functions would refuse; not to be retried or caught there either. */
export class DataLimitExceeded extends Error {
  override readonly name = 'States.DataLimitExceeded';
  readonly isRetryable = false;
  readonly isCatchable = false;
}
