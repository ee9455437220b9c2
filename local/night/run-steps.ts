// Runs the steps of a night one after another, tells of each as it goes on, and gives the outcome of all.
import type { JobName } from '../../functions/shared/jobs.ts';
import { invokeFunction } from '../lambda/invoke-function.ts';
import { describeResult } from './describe-result.ts';
import type { NightStep } from './night-steps.ts';
import type { NightWorld } from './night-world.ts';

export interface StepOutcome {
  title: string;
  job: JobName;
  outcome: 'ok' | 'failed' | 'not run';
  durationMs: number;
  /** Figures of a run that ended well, or why it failed. */
  figures: string;
  answer: Readonly<Record<string, unknown>>;
}

/** Invokes the function of one step; `onProgress` gets its last log event in words. Never rejects. */
export async function runStep(
  world: NightWorld,
  step: NightStep,
  watch: { onProgress(words: string): void; onLine(line: string): void; signal: AbortSignal },
): Promise<StepOutcome> {
  const deployed = world.stack.functions[step.job];
  const invoked = await invokeFunction(deployed, world.environmentOf(step.job), step.event, {
    signal: watch.signal,
    onLine: (line) => {
      watch.onLine(line);
      const words = progressOf(line);
      if (words !== undefined) watch.onProgress(words);
    },
  });
  const base = { title: step.title, job: step.job, durationMs: invoked.durationMs };
  if (!invoked.outcome.ok) {
    return { ...base, outcome: 'failed', figures: `${invoked.outcome.code}: ${invoked.outcome.message}`, answer: {} };
  }
  const answer = invoked.outcome.result;
  return { ...base, outcome: 'ok', figures: describeResult(step.job, answer), answer };
}

/** `backup: archive dumped` for the log event backup.archive_dumped; undefined for lines that are no milestone. */
function progressOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    const event = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'event') : undefined;
    return typeof event === 'string' ? event.replace('.', ': ').replaceAll('_', ' ') : undefined;
  } catch {
    // A line that only looks like JSON is no milestone; it is in the log of the night all the same.
    return undefined;
  }
}
