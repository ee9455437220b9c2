// A job of a night that its state machine runs pass after pass, as many as it takes: the restore drill and purge. Told as one step.
import { invokeFunction } from '../lambda/invoke-function.ts';
import type { DeployedStack } from '../template/read-functions.ts';
import { runWorkflow } from '../workflow/run-workflow.ts';
import type { NightStep } from './night-steps.ts';
import type { NightWorld } from './night-world.ts';
import { type StepOutcome, type StepWatch, stepOutcome } from './run-steps.ts';
import { progressOf } from './step-progress.ts';

type Ended = Parameters<typeof stepOutcome>[1];
type Answer = Readonly<Record<string, unknown>>;

const passJobs = ['restore-drill', 'purge'] as const;

type PassJob = (typeof passJobs)[number];

/** Whether the workflow of a job runs it pass after pass. */
export function isPassJob(job: string): job is PassJob {
  return passJobs.some((one) => one === job);
}

/** What of the world of a night the workflow needs. */
interface WorkflowWorld extends Pick<NightWorld, 'environmentOf'> {
  stack: { workflows: Pick<DeployedStack['workflows'], PassJob>; functions: Pick<DeployedStack['functions'], PassJob> };
}

/** The answer of the job as a whole, once another pass has given its own; undefined while there is none. */
const answerAfter: Readonly<
  Record<PassJob, (event: Answer, answer: Record<string, unknown>, before: Answer | undefined) => Answer | undefined>
> = {
  // Its last step tells of all.
  'restore-drill': ({ step }, answer, before) => (step === 'finish' ? answer : before),
  // A policy that has finished in an earlier pass is not begun again.
  purge: (_, answer, before) => ({
    ...answer,
    policies: [...policiesOf(answer), ...policiesOf(before).filter((one) => !isAmong(policiesOf(answer), one))],
  }),
};

function policiesOf(answer: Answer | undefined): readonly object[] {
  const policies = answer?.['policies'];
  return Array.isArray(policies) ? policies : [];
}

function isAmong(policies: readonly object[], one: object): boolean {
  return policies.some((policy) => Reflect.get(policy, 'policy') === Reflect.get(one, 'policy'));
}

/** Runs it to its end. Never rejects. */
export async function runPassWorkflow(
  world: WorkflowWorld,
  job: PassJob,
  step: NightStep,
  watch: StepWatch,
): Promise<StepOutcome> {
  const startedMs = performance.now();
  let answer: Answer | undefined;
  let failure: Ended | undefined;
  const { outcome } = await runWorkflow(world.stack.workflows[job], step.event, {
    signal: watch.signal,
    invoke: async ({ job: invokedJob, event }) => {
      if (invokedJob !== job) throw new Error(`the workflow of ${job} invokes ${invokedJob}`);
      const invoked = await invokeFunction(world.stack.functions[job], world.environmentOf(job), event, {
        signal: watch.signal,
        onLine: (line) => {
          watch.onLine(line);
          const words = progressOf(line);
          if (words !== undefined) watch.onProgress(words);
        },
      });
      if (!invoked.outcome.ok) failure ??= invoked.outcome;
      else answer = answerAfter[job](event, invoked.outcome.result, answer);
      return invoked;
    },
  });
  const ended: Ended = outcome.ok
    ? answer === undefined
      ? { ok: false, code: 'unexpected', errorType: 'Error', message: `the workflow of ${job} ended without an answer` }
      : { ok: true, result: { ...answer } }
    : (failure ?? { ok: false, code: outcome.error, errorType: outcome.error, message: outcome.cause });
  return stepOutcome(step, ended, performance.now() - startedMs);
}
