// A task of a state machine that invokes a function, and the errors after which it may be invoked again.
// Every task has a time limit of its own: without one a lost answer would hold the workflow for a year.

/** A state as the States Language writes it. */
export type State = Readonly<Record<string, unknown>>;

export interface InvokedFunction {
  arn: string;
  /** `aws`, `aws-cn` …: part of the ARN of the service integration. */
  partition: string;
  timeoutSeconds: number;
}

/** Lambda could not take or answer the call; the function may have run all the same, so each step bears a second start. */
const SERVICE_ERRORS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** The function was ended without an answer: time, memory, a crash of the sandbox. */
const ENDED_WITHOUT_ANSWER = ['Sandbox.Timedout', 'Runtime.ExitError', 'Lambda.Unknown', 'States.Timeout'];

const serviceErrors = {
  ErrorEquals: SERVICE_ERRORS,
  IntervalSeconds: 2,
  // 62 s in all: after 120 s without a worker the snapshot is let go.
  MaxAttempts: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
};

/** What is tried again, from the least to the most. The order counts: the first entry that fits is taken. */
export const retries = {
  /** Only what Lambda itself got wrong. */
  service: [serviceErrors],
  /** Also a function that ended without an answer: for steps that go on where the last start stopped. */
  unanswered: [
    serviceErrors,
    { ErrorEquals: ENDED_WITHOUT_ANSWER, IntervalSeconds: 5, MaxAttempts: 2, BackoffRate: 2 },
  ],
  /** The same, after the server has let go the session of the one that was ended: until then it holds the lock. */
  unansweredWithLock: [
    serviceErrors,
    { ErrorEquals: ENDED_WITHOUT_ANSWER, IntervalSeconds: 60, MaxAttempts: 2, BackoffRate: 2 },
  ],
  /** Any error, twice: for steps that make the same again, or only read. */
  any: [serviceErrors, { ErrorEquals: ['States.ALL'], IntervalSeconds: 5, MaxAttempts: 2, BackoffRate: 2 }],
} as const;

/** How long after the limit of the function its answer may still come. */
const ANSWER_SECONDS = 60;

/**
 * A task that invokes a function.
 *
 * `payload` is the event, or the path of one; `keep` names the parts of the answer that the workflow goes on with, and
 * `at` where they are put into its state. Without `at` the answer is dropped.
 */
export function lambdaTask(
  invoked: InvokedFunction,
  task: {
    payload: Readonly<Record<string, unknown>> | string;
    retry: (typeof retries)[keyof typeof retries];
    keep?: readonly string[];
    at?: string;
    /** Next, End and Catch. */
    go: State;
  },
): State {
  const { payload, keep = [] } = task;
  return {
    Type: 'Task',
    Resource: `arn:${invoked.partition}:states:::lambda:invoke`,
    Parameters: {
      FunctionName: invoked.arn,
      ...(typeof payload === 'string' ? { 'Payload.$': payload } : { Payload: payload }),
    },
    TimeoutSeconds: invoked.timeoutSeconds + ANSWER_SECONDS,
    ...(keep.length === 0
      ? {}
      : { ResultSelector: Object.fromEntries(keep.map((name) => [`${name}.$`, `$.Payload.${name}`])) }),
    ResultPath: task.at ?? null,
    Retry: task.retry,
    ...task.go,
  };
}
