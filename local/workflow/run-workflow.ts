// Runs the deployed state machine on this machine: every task invokes the local process of its function.
// Nothing of it outlives the run: when it ends, each function that was started has ended too.
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StateMachine } from 'aws-local-stepfunctions';
import type { JobName } from '../../functions/shared/jobs.ts';
import type { Invoked } from '../lambda/invoke-function.ts';
import { DataLimitExceeded, LambdaError, LONGEST_STATE_BYTES, StateStopped } from './lambda-error.ts';
import type { DeployedWorkflow } from './read-workflow.ts';
import { createStoppedStates } from './stopped-states.ts';
import { walkStates } from './walk-states.ts';

type Json = Parameters<StateMachine['run']>[0];

/** One invocation of a function by a task. */
export interface WorkflowTask {
  state: string;
  job: JobName;
  event: Readonly<Record<string, unknown>>;
}

export interface WorkflowRun {
  executionId: string;
  outcome: { ok: true; output: unknown } | { ok: false; error: string; cause: string };
}

export interface WorkflowOptions {
  /** Invokes the function of a job; never rejects. */
  invoke(task: WorkflowTask): Promise<Invoked>;
  signal: AbortSignal;
  /** Milliseconds in place of each pause before a retry, and of each Wait, for tests. */
  pauseMs?: number | undefined;
}

/**
 * Runs the workflow once with the input of its schedule. Never rejects.
 *
 * A function that still works when its map has failed works on to its end, as in AWS; the run waits for it. When the
 * signal is aborted, so is the run; it is the caller's invoke that must end the functions then.
 */
export async function runWorkflow(
  workflow: DeployedWorkflow,
  input: Readonly<Record<string, unknown>>,
  options: WorkflowOptions,
): Promise<WorkflowRun> {
  const name = randomUUID();
  const executionId = `${workflow.arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const stopped = createStoppedStates(workflow.definition);
  const running = new Set<Promise<unknown>>();
  const walked = walkStates(workflow.definition.States);

  const runTask = async (state: string, parameters: Json): Promise<Json> => {
    // A turn of the event loop: by then it is known whether the map around this state has just failed.
    await nextTurn();
    if (stopped.has(state) || options.signal.aborted) throw new StateStopped(`${state} was not started any more`);
    const { arn, event } = invocationOf(parameters);
    const job = workflow.jobs.get(arn);
    if (!job) throw new Error(`state ${state} invokes ${arn}, which is no function of this stack`);
    refuseTooLong(`the event of ${state}`, event);
    const { outcome } = await options.invoke({ state, job, event });
    if (!outcome.ok) throw new LambdaError(outcome);
    refuseTooLong(`the answer to ${state}`, outcome.result);
    return asJson({ ExecutedVersion: '$LATEST', StatusCode: 200, Payload: outcome.result });
  };
  const handlerOf = (state: string) => async (parameters: Json) => {
    const task = runTask(state, parameters);
    running.add(task);
    try {
      return await task;
    } finally {
      running.delete(task);
    }
  };
  const pauses = (type: string) =>
    Object.fromEntries(
      options.pauseMs === undefined
        ? []
        : walked.filter(({ state }) => state.Type === type).map((one) => [one.name, options.pauseMs ?? 0]),
    );

  const execution = new StateMachine(workflow.definition, { validationOptions: { noValidate: true } }).run(
    asJson(input),
    {
      context: { Execution: { Id: executionId, Name: name }, StateMachine: { Id: workflow.arn } },
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(
          walked.filter(({ state }) => state.Type === 'Task').map((one) => [one.name, handlerOf(one.name)]),
        ),
        retryIntervalOverrides: pauses('Task'),
        waitTimeOverrides: pauses('Wait'),
      },
    },
  );
  const followed = stopped.follow(execution.eventLogs);
  const abort = () => execution.abort();
  options.signal.addEventListener('abort', abort, { once: true });
  const outcome = await execution.result.then(
    (output): WorkflowRun['outcome'] => ({ ok: true, output }),
    (error: unknown) => failureOf(error),
  );
  options.signal.removeEventListener('abort', abort);
  while (running.size > 0) await Promise.allSettled(running);
  await followed;
  return { executionId, outcome };
}

function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

/** The parameters of a task of lambda:invoke. */
function invocationOf(parameters: Json): { arn: string; event: Record<string, unknown> } {
  const fields = Object(parameters);
  return { arn: String(Reflect.get(fields, 'FunctionName')), event: Object(Reflect.get(fields, 'Payload')) };
}

function refuseTooLong(what: string, value: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= LONGEST_STATE_BYTES) return;
  throw new DataLimitExceeded(`${what} has ${bytes} bytes; Step Functions takes ${LONGEST_STATE_BYTES}`);
}

/** What ended an execution: the error that no state caught, which the interpreter hands on as its cause. */
function failureOf(error: unknown): WorkflowRun['outcome'] {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return { ok: false, error: 'States.Runtime', cause: String(inner) };
  return { ok: false, error: inner.name, cause: inner.message };
}
