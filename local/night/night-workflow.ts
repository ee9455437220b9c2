// The backup workflow of a night, as two steps of it: the first starts it and ends with the backup, the second waits for
// the verification that the same execution goes on with.
import { invokeFunction } from '../lambda/invoke-function.ts';
import type { DeployedStack } from '../template/read-functions.ts';
import { runWorkflow, type WorkflowRun, type WorkflowTask } from '../workflow/run-workflow.ts';
import type { NightStep } from './night-steps.ts';
import type { NightWorld } from './night-world.ts';
import { type StepOutcome, type StepWatch, stepOutcome } from './run-steps.ts';
import { progressOf } from './step-progress.ts';

type Ended = Parameters<typeof stepOutcome>[1];

/** What of the world of a night the workflow needs. */
interface WorkflowWorld extends Pick<NightWorld, 'environmentOf'> {
  stack: Pick<DeployedStack, 'workflows'> & { functions: Pick<DeployedStack['functions'], 'backup' | 'verify'> };
}

export interface NightWorkflow {
  /** The outcome of the step `backup` or of the step `verify`; the workflow starts with the first call. Never rejects. */
  run(world: WorkflowWorld, step: NightStep, watch: StepWatch): Promise<StepOutcome>;
}

/** What is known of one of the two jobs while the workflow runs. */
interface JobProgress {
  startedMs: number;
  endedMs: number;
  /** The answer of the backup or the verification as a whole. */
  answer: Extract<Ended, { ok: true }> | undefined;
  failure: Extract<Ended, { ok: false }> | undefined;
  watch: StepWatch | undefined;
  /** Steps that have copied or read a group. */
  groupSteps: number;
}

/** A workflow that has not been started. */
export function createNightWorkflow(): NightWorkflow {
  const progress: Record<'backup' | 'verify', JobProgress> = { backup: unstarted(), verify: unstarted() };
  const backupIsOver = Promise.withResolvers<void>();
  let running: Promise<WorkflowRun> | undefined;

  const invoke = async (world: WorkflowWorld, firstWatch: StepWatch, { job, event }: WorkflowTask) => {
    if (job !== 'backup' && job !== 'verify') throw new Error(`the workflow of the backup invokes ${job}`);
    if (job === 'verify') backupIsOver.resolve();
    const of = progress[job];
    of.startedMs ||= performance.now();
    const invoked = await invokeFunction(world.stack.functions[job], world.environmentOf(job), event, {
      signal: firstWatch.signal,
      onLine: (line) => {
        firstWatch.onLine(line);
        const words = progressOf(line);
        if (words !== undefined) of.watch?.onProgress(words.replace(`${job}: `, `${nameOfStep(job, event)}: `));
      },
    });
    of.endedMs = performance.now();
    const { step } = event;
    if (invoked.outcome.ok) {
      if (step === 'copy' || step === 'read') of.groupSteps += 1;
      if (step === undefined || step === 'finish') of.answer = invoked.outcome;
    } else if (step !== 'abort' || of.failure === undefined) {
      // Abort only says that something has failed; the failure before it says what.
      of.failure = invoked.outcome;
    }
    return invoked;
  };

  return {
    run: async (world, step, watch) => {
      const job = step.job === 'verify' ? 'verify' : 'backup';
      progress[job].watch = watch;
      running ??= runWorkflow(world.stack.workflows.backup, step.event, {
        invoke: async (task) => await invoke(world, watch, task),
        signal: watch.signal,
      });
      if (job === 'backup') await Promise.race([running, backupIsOver.promise]);
      else await running;
      const ended = (await settled(running))?.outcome;
      const goesOn = job === 'backup' && progress.verify.startedMs > 0;
      return outcomeOf(step, progress[job], goesOn ? undefined : ended);
    },
  };
}

function unstarted(): JobProgress {
  return { startedMs: 0, endedMs: 0, answer: undefined, failure: undefined, watch: undefined, groupSteps: 0 };
}

/** `backup`, `backup plan`, `backup copy 3`. */
function nameOfStep(job: string, { step, group }: WorkflowTask['event']): string {
  return [job, step, group].filter((part) => typeof part === 'string' || typeof part === 'number').join(' ');
}

/** The run when it has ended already, else undefined. */
async function settled(running: Promise<WorkflowRun>): Promise<WorkflowRun | undefined> {
  return await Promise.race([running, Promise.resolve(undefined)]);
}

/** `ended` is undefined when the workflow has gone on to another job: then this one has ended well. */
function outcomeOf(step: NightStep, job: JobProgress, ended: WorkflowRun['outcome'] | undefined): StepOutcome {
  const durationMs = job.endedMs - job.startedMs;
  const base = { title: step.title, job: step.job, durationMs, answer: {} };
  if (job.startedMs === 0) return { ...base, outcome: 'not run', figures: 'the workflow did not come to it' };
  if (ended && !ended.ok) {
    const failure: Ended = job.failure ?? {
      ok: false,
      code: ended.error,
      errorType: ended.error,
      message: ended.cause,
    };
    return stepOutcome(step, failure, durationMs);
  }
  if (job.answer === undefined) return { ...base, outcome: 'ok', figures: 'an earlier run has done it' };
  const outcome = stepOutcome(step, job.answer, durationMs);
  if (job.groupSteps === 0) return outcome;
  const verb = step.job === 'verify' ? 'read' : 'copied';
  return {
    ...outcome,
    figures: `${outcome.figures}, ${verb} in ${job.groupSteps} ${job.groupSteps === 1 ? 'step' : 'steps'}`,
  };
}
