// What starts a purge run and what it answers.
import * as z from 'zod';
import { jobEventSchema, needsRequester } from '../shared/job-event.ts';

export const purgeEvent = needsRequester(
  jobEventSchema('purge', {
    policyId: z
      .string()
      .trim()
      .min(1)
      .optional()
      .describe('name of one row of nightshift.retention_policy; without it all that are enabled'),
  }),
).describe('Deletes the rows that are past the retention period of their policy. Without a policy nothing is deleted.');

export type PurgeEvent = z.output<typeof purgeEvent>;

const count = z.int().min(0);

export const policyResult = z.strictObject({
  policy: z.string(),
  table: z.string(),
  cutoff: z
    .string()
    .describe('rows older than this instant are past retention; taken once, from the clock of the server'),
  state: z
    .enum(['finished', 'stopped', 'planned'])
    .describe('"stopped": out of time between two batches, the next run goes on; "planned": a dry run'),
  rowsDeleted: count,
  skipped: z.strictObject({
    held: count.describe('under a legal hold'),
    referenced: count.describe('still referenced by a row of another table'),
    other: count.describe('locked by another session, or kept by a trigger'),
  }),
  rowsLeft: count
    .nullable()
    .describe('rows past retention that are still there, counted at the end; null when the run stopped'),
  rowsPastRetention: count.nullable().describe('counted before anything was deleted; a dry run only'),
  oldest: z.string().nullable().describe('the oldest of the rows that are left'),
  estimatedBatches: count.nullable().describe('a dry run only'),
  batches: count,
  durationMs: count,
});

export type PolicyResult = z.output<typeof policyResult>;

export const purgeResult = z.strictObject({
  dryRun: z.boolean(),
  complete: z.boolean().describe('false when a policy stopped before its end: run purge again'),
  rowsDeleted: count,
  policies: z.array(policyResult),
});

export type PurgeResult = z.output<typeof purgeResult>;
