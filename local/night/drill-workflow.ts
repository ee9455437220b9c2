// The restore drill of a night, by its state machine: as many passes as it takes, told as one step.
import { invokeFunction } from '../lambda/invoke-function.ts';
import { runWorkflow } from '../workflow/run-workflow.ts';
import type { NightStep } from './night-steps.ts';
import type { NightWorld } from './night-world.ts';
import { type StepOutcome, type StepWatch, stepOutcome } from './run-steps.ts';
import { progressOf } from './step-progress.ts';

type Ended = Parameters<typeof stepOutcome>[1];

/** Runs it to its end. Never rejects. */
export async function runDrillWorkflow(
  world: Pick<NightWorld, 'stack' | 'environmentOf'>,
  step: NightStep,
  watch: StepWatch,
): Promise<StepOutcome> {
  const startedMs = performance.now();
  let answer: Ended | undefined;
  let failure: Ended | undefined;
  const run = await runWorkflow(world.stack.workflows['restore-drill'], step.event, {
    signal: watch.signal,
    invoke: async ({ job, event }) => {
      const invoked = await invokeFunction(world.stack.functions[job], world.environmentOf(job), event, {
        signal: watch.signal,
        onLine: (line) => {
          watch.onLine(line);
          const words = progressOf(line);
          if (words !== undefined) watch.onProgress(words);
        },
      });
      if (!invoked.outcome.ok) failure ??= invoked.outcome;
      else if (event['step'] === 'finish') answer = invoked.outcome;
      return invoked;
    },
  });
  const { outcome } = run;
  const ended: Ended = outcome.ok
    ? (answer ?? {
        ok: false,
        code: 'unexpected',
        errorType: 'Error',
        message: 'the drill ended without its last step',
      })
    : (failure ?? { ok: false, code: outcome.error, errorType: outcome.error, message: outcome.cause });
  return stepOutcome(step, ended, performance.now() - startedMs);
}
