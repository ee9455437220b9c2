// The contract of migrate: the event that starts it and the result that it answers, logs and records.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';
import { lossSchema } from './loss-contract.ts';

export const migrateEventSchema = jobEventSchema('migrate', {
  action: z
    .enum(['status', 'up', 'down'])
    .describe('status: say what is applied; up: apply pending files; down: revert the newest'),
  to: z
    .int()
    .min(0)
    .max(9999)
    .optional()
    .describe(
      'number of the migration that is the newest afterwards; without it, up applies all and down reverts one; 0 reverts all',
    ),
}).superRefine((event, context) => {
  if (event.action !== 'status' && event.requestedBy === undefined) {
    context.addIssue({ code: 'custom', path: ['requestedBy'], message: `${event.action} must say who asked for it` });
  }
  if (event.action === 'status' && event.to !== undefined) {
    context.addIssue({ code: 'custom', path: ['to'], message: 'status takes no target' });
  }
});

export type MigrateEvent = z.output<typeof migrateEventSchema>;

const migration = z.strictObject({ number: z.int(), name: z.string() });
const count = z.int().min(0);

export const migrateResultSchema = z.strictObject({
  action: z.enum(['status', 'up', 'down']),
  dryRun: z.boolean(),
  current: count.describe('number of the newest applied migration after this run; 0 when none is applied'),
  pending: z.array(migration).describe('files that are not applied after this run'),
  changed: z.array(z.string()).describe('applied files whose text is no longer the one that was run (status only)'),
  done: z
    .array(
      z.strictObject({
        ...migration.shape,
        direction: z.enum(['up', 'down']),
        statements: count,
        durationMs: count,
      }),
    )
    .describe('what this run applied or reverted, in that order; each was one transaction'),
  planned: z
    .array(z.strictObject({ file: z.string(), statements: z.array(z.string()) }))
    .describe('dry run only: files that would be run, each statement as line and first line'),
  loses: z.array(lossSchema).describe('dry run of down only: tables, columns and rows that the files would remove'),
});

export type MigrateResult = z.output<typeof migrateResultSchema>;
