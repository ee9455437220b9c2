// What starts an expire run and what it answers.
import * as z from 'zod';
import { jobEventSchema, needsRequester } from '../shared/job-event.ts';

export const expireEvent = needsRequester(
  jobEventSchema('expire', {
    allowLargePlan: z
      .boolean()
      .optional()
      .describe('carry out a plan that deletes more than MAX_DELETE_PERCENT; only together with requestedBy'),
    clockIsRight: z
      .boolean()
      .optional()
      .describe(
        'carry out a plan although the last good run is more than 45 days ago or not known; only together with requestedBy',
      ),
  }),
).describe('Deletes the backups that the policy no longer keeps.');

export type ExpireEvent = z.output<typeof expireEvent>;

export const plannedBackup = z.strictObject({
  backupId: z.string(),
  takenAt: z.string().describe('the instant of the snapshot, UTC; backups are ordered by it'),
  bytes: z.int().describe('of all its objects, by the manifest'),
  state: z
    .enum(['candidate', 'verified', 'drilled', 'broken', 'unknown'])
    .describe('only verified and drilled ones count; "unknown": its evidence could not be read'),
  decision: z.enum(['keep', 'delete']),
  reasons: z.array(z.string()).describe('every rule that keeps it, or why none does'),
  outcome: z
    .enum(['kept', 'planned', 'deleted', 'locked'])
    .describe('"planned": it would be deleted. "locked": object lock keeps it, whole or in part'),
  lockedUntil: z.string().nullable().describe('the end of the last lock on it, UTC'),
});

export type PlannedBackup = z.output<typeof plannedBackup>;

const lockedVersion = z.strictObject({ key: z.string(), versionId: z.string(), lockedUntil: z.string() });

export type LockedVersion = z.output<typeof lockedVersion>;

/** More would not be read, and a log line and an answer have limits. */
export const SHOWN_LOCKS = 100;

export const expireResult = z.strictObject({
  dryRun: z.boolean(),
  policy: z.string().describe('the rules that keep backups, as "within 30d, monthly 12"'),
  backups: z.array(plannedBackup).describe('every backup that has a manifest, newest first'),
  refused: z
    .string()
    .nullable()
    .describe('why the plan may not be carried out; only a dry run answers it, a real run fails'),
  unreadable: z
    .array(z.strictObject({ key: z.string(), problem: z.string() }))
    .describe('manifests, evidence and claims that could not be read'),
  lastRunAt: z.string().nullable().describe('the end of the last good run that was no dry run'),
  expired: z.int().describe('backups that were deleted in this run, with nothing left'),
  leftovers: z
    .array(z.string())
    .describe('ids without a manifest, of attempts that have ended: their remains were deleted (or would be)'),
  withoutManifest: z.int().describe('ids without a manifest that were left alone: they may be backups in the making'),
  supersededVersions: z
    .int()
    .describe('overwritten versions of objects of kept backups that were deleted (or would be)'),
  abortedUploads: z.int().describe('uploads of ended attempts, older than a day, that were aborted (or would be)'),
  lockedVersions: z.array(lockedVersion).max(SHOWN_LOCKS).describe('kept: locked until …; the first 100 of them'),
  lockedVersionCount: z.int(),
});

export type ExpireResult = z.output<typeof expireResult>;
