// Reads why a workflow has failed, as Step Functions tells it to the step that aborts.

const LONGEST_CAUSE = 2_000;

/** The message out of the error that Step Functions keeps of a function: `{"errorType":…,"errorMessage":…}`. */
export function readableCause(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    const message = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'errorMessage') : undefined;
    // Its own hint is in the log of the step; two hints would contradict each other.
    if (typeof message === 'string') return (message.split(' Hint: ')[0] ?? '').slice(0, LONGEST_CAUSE);
  } catch {
    // A time-out, for example, is told in plain words.
  }
  return cause === '' ? 'the workflow told no reason' : cause.slice(0, LONGEST_CAUSE);
}
