// The parts that the events of all jobs share. Each job builds its own event schema on these in contract.ts.
import * as z from 'zod';
import { describeIssues } from './describe-issues.ts';
import { JobFailure } from './job-failure.ts';
import type { JobName } from './jobs.ts';

/** Who started a run by hand; a Lambda does not learn its caller's identity. */
export const requestedBy = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe('who asked for this run; kept in the run record and the log');

/** The schema of a job's event: unknown keys are refused, so a misspelt `dryRun` cannot turn into a real run. */
export function jobEventSchema<J extends JobName, S extends z.ZodRawShape>(job: J, own: S) {
  return z.strictObject({
    job: z.literal(job),
    scheduledTime: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('the time the schedule meant, not the time it arrived; set by EventBridge Scheduler'),
    requestedBy: requestedBy.optional(),
    dryRun: z.boolean().optional().describe('say what would be done and change nothing'),
    ...own,
  });
}

/** Refuses a run by hand that changes something unless it says who asked for it; a schedule and a dry run need not. */
export function needsRequester<
  S extends z.ZodType<{
    scheduledTime?: string | undefined;
    requestedBy?: string | undefined;
    dryRun?: boolean | undefined;
  }>,
>(schema: S) {
  return schema.superRefine((event, context) => {
    if (event.scheduledTime !== undefined || event.dryRun === true || event.requestedBy !== undefined) return;
    const message = 'a run by hand that deletes must say who asked for it';
    context.addIssue({ code: 'custom', path: ['requestedBy'], message });
  });
}

/** The event as its schema's type; throws `event.wrong` naming every problem. */
export function parseEvent<S extends z.ZodType>(job: string, schema: S, event: unknown): z.output<S> {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw new JobFailure({
    code: 'event.wrong',
    problem: `${job} was started with an event that does not fit: ${describeIssues(parsed.error, event).join('; ')}`,
    safeState: 'Nothing was read or written',
    hint: `see docs/events.md for the events of ${job}`,
    cause: undefined,
  });
}
