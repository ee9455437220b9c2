// Runs the steps of a night one after another, tells of each as it goes on, and gives the outcome of all.
import type { JobName } from '../../functions/shared/jobs.ts';
import { type Invoked, invokeFunction } from '../lambda/invoke-function.ts';
import { describeResult } from './describe-result.ts';
import type { NightStep } from './night-steps.ts';
import type { NightWorld } from './night-world.ts';
import { progressOf } from './step-progress.ts';

export interface StepOutcome {
  title: string;
  job: JobName;
  outcome: 'ok' | 'failed' | 'not run';
  durationMs: number;
  /** Figures of a run that ended well, or why it failed. */
  figures: string;
  answer: Readonly<Record<string, unknown>>;
}

export interface StepWatch {
  /** Gets the last log event of the step in words. */
  onProgress(words: string): void;
  onLine(line: string): void;
  signal: AbortSignal;
}

/** Invokes the function of one step. Never rejects. */
export async function runStep(world: NightWorld, step: NightStep, watch: StepWatch): Promise<StepOutcome> {
  const deployed = world.stack.functions[step.job];
  const invoked = await invokeFunction(deployed, world.environmentOf(step.job), step.event, {
    signal: watch.signal,
    onLine: (line) => {
      watch.onLine(line);
      const words = progressOf(line);
      if (words !== undefined) watch.onProgress(words);
    },
  });
  return stepOutcome(step, invoked.outcome, invoked.durationMs);
}

/** The outcome of a step from the answer or the failure of its function. */
export function stepOutcome(step: NightStep, ended: Invoked['outcome'], durationMs: number): StepOutcome {
  const base = { title: step.title, job: step.job, durationMs };
  if (!ended.ok) return { ...base, outcome: 'failed', figures: `${ended.code}: ${ended.message}`, answer: {} };
  return { ...base, outcome: 'ok', figures: describeResult(step.job, ended.result), answer: ended.result };
}
