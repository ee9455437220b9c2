// The failure of a run of migrations that finds another one where it wanted to begin.
import { JobFailure } from './job-failure.ts';
import type { Migration } from './migration-files.ts';

/** Two runs passed each other, although both should hold the lock: the history row of the first decides. */
export function overtaken(
  { number, name }: Pick<Migration, 'number' | 'name'>,
  what: string,
  cause?: unknown,
): JobFailure {
  return new JobFailure({
    code: 'job.locked',
    problem: `migration ${number} "${name}" ${what}`,
    safeState: 'This run has changed nothing with it',
    hint: 'ask for the status and decide again',
    cause,
  });
}
