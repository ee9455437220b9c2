// What starts an expire run and what it answers.
import * as z from 'zod';
import { jobEventSchema, needsRequester } from '../shared/job-event.ts';

export const expireEvent = needsRequester(
  jobEventSchema('expire', {
    allowLargePlan: z
      .boolean()
      .optional()
      .describe('carry out a plan that deletes more than half of the backups; only together with requestedBy'),
  }),
).describe('Deletes the backups that are older than the newest KEEP_LAST ones.');

export type ExpireEvent = z.output<typeof expireEvent>;

export const plannedBackup = z.strictObject({
  backupId: z.string(),
  takenAt: z.string().describe('the instant of the snapshot, UTC; backups are ordered by it'),
  decision: z.enum(['keep', 'delete']),
  reason: z.string(),
  outcome: z
    .enum(['kept', 'planned', 'deleted', 'locked'])
    .describe('"planned": a dry run deletes nothing. "locked": S3 refused, because the object lock is still in force'),
});

export type PlannedBackup = z.output<typeof plannedBackup>;

export const expireResult = z.strictObject({
  dryRun: z.boolean(),
  keepLast: z.int(),
  backups: z.array(plannedBackup).describe('every backup that has a manifest, newest first'),
  refused: z
    .string()
    .nullable()
    .describe('why the plan may not be carried out; only a dry run answers it, a real run fails'),
  expired: z.int().describe('backups that were deleted in this run'),
  leftovers: z
    .array(z.string())
    .describe(
      'ids without a manifest whose attempt ended an hour ago or more, or which are older than every kept backup: their remains were deleted (or would be)',
    ),
  withoutManifest: z.int().describe('ids without a manifest that were left alone: they may be backups in the making'),
  lockedVersions: z.array(z.strictObject({ key: z.string(), versionId: z.string(), reason: z.string() })),
});

export type ExpireResult = z.output<typeof expireResult>;
