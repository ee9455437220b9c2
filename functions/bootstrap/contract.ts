// The contract of bootstrap: the event that starts it and the result that it answers, logs and records.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';

export const bootstrapEventSchema = jobEventSchema('bootstrap', {}).superRefine((event, context) => {
  if (event.dryRun !== true && event.requestedBy === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['requestedBy'],
      message: 'a run that changes roles must say who asked for it',
    });
  }
});

export type BootstrapEvent = z.output<typeof bootstrapEventSchema>;

const finding = z.strictObject({
  id: z
    .enum(['bypassrls_not_granted', 'sequence_unreadable', 'extra_membership', 'secret_points_elsewhere'])
    .describe('stable name of the finding'),
  subject: z.string().describe('the role or object'),
  problem: z.string(),
  fix: z.string().describe('what to do, mostly the SQL of it'),
});

export const bootstrapResultSchema = z.strictObject({
  dryRun: z.boolean(),
  changed: z.array(z.string()).describe('what this run made or altered, or would in a dry run'),
  unchanged: z.array(z.string()).describe('what was as it should be'),
  statements: z.array(z.string()).describe('dry run only: the statements, with password verifiers left out'),
  findings: z.array(finding).describe('what bootstrap could not bring about, and what works less for it'),
  loginsProven: z.array(z.string()).describe('roles that logged in with the password of their secret'),
});

export type BootstrapResult = z.output<typeof bootstrapResultSchema>;
export type Finding = z.output<typeof finding>;
