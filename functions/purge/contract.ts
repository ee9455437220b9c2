// What starts a purge run and what it answers.
import * as z from 'zod';
import { jobEventSchema, needsRequester } from '../shared/job-event.ts';

const name = z.string().trim().min(1);

export const subjectSchema = z
  .strictObject({
    schema: name.optional().describe('without it the schema is the only one that has such a table'),
    table: name.describe('the table whose row stands for the person'),
    key: z.string().min(1).describe('its primary key as text, of several columns as a JSON array of texts'),
    reference: name
      .max(200)
      .regex(/^[\w.:/-]+$/, 'must be made of letters, digits and . : / _ -')
      .describe('what the request is filed under, as DSR-2026-17; the certificate names it instead of the person'),
  })
  .refine(({ key, reference }) => key !== reference, {
    message: 'is the key of the person, and the certificate would name it',
    path: ['reference'],
  })
  .describe('erases everything that leads to this person (GDPR article 17), instead of carrying out policies');

export const purgeEvent = needsRequester(
  jobEventSchema('purge', {
    policyId: name
      .optional()
      .describe('name of one row of nightshift.retention_policy; without it all that are enabled'),
    subject: subjectSchema.optional(),
    executionId: name
      .optional()
      .describe('the same for all passes of one purge: a policy that has finished in it is not begun again'),
    plan: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'must be the hash that a dry run has answered')
      .optional()
      .describe('refuse to run when policies or tables are no longer what was planned'),
  }),
)
  .refine(({ policyId, subject }) => policyId === undefined || subject === undefined, {
    message: 'a run is either of a policy or of a subject',
    path: ['subject'],
  })
  .describe(
    'Deletes, anonymises or drops what is past the retention period of its policy, or erases one person. Without a policy nothing is deleted.',
  );

export type PurgeEvent = z.output<typeof purgeEvent>;
export type PurgeSubject = z.output<typeof subjectSchema>;

const count = z.int().min(0);
const text = z.string();

/** What is done to the rows of a table that has a foreign key to the rows that go. */
export const childAction = z.enum(['deleted', 'anonymised', 'set null', 'set default', 'keeps its parent']);

const childPlan = z.strictObject({
  table: text,
  constraint: text,
  path: z.array(text).describe('the tables from that of the policy to this one'),
  action: childAction,
  rows: count.nullable().describe('null where it was not counted'),
});

const policyPlan = z.strictObject({
  rows: count.describe('past retention, held ones included'),
  bytes: count.describe('their part of the table by its average row'),
  undated: count.describe('rows without a finite timestamp: they are never past retention'),
  children: z.array(childPlan),
  estimatedBatches: count,
  estimatedSeconds: count.nullable().describe('by the speed of the last run of this policy; null when there was none'),
  estimatedWalBytes: count,
  reads: text.describe('the plan of the statement that chooses a batch, in one line'),
});

export const partitionResult = z.strictObject({
  table: text,
  bounds: text,
  bytes: count,
  rows: count.nullable(),
  state: z.enum(['planned', 'detached', 'dropped', 'kept']),
  reason: text.nullable().describe('why it is kept, or not dropped yet'),
});

export const archiveResult = z.strictObject({
  objects: count,
  rows: count,
  bytes: count,
  manifestKey: text.nullable(),
  manifestSha256: text.nullable(),
});

export const policyResult = z.strictObject({
  policy: text,
  version: count.describe('of the policy; 0 for an erasure, which has none'),
  table: text,
  action: z.enum(['delete', 'anonymise', 'drop_partition', 'erase']),
  cutoff: text
    .nullable()
    .describe(
      'rows older than this instant are past retention; taken once, from the clock of the server; null for an erasure',
    ),
  state: z
    .enum(['finished', 'stopped', 'paused', 'planned'])
    .describe(
      '"stopped": out of time, or told to stop by nightshift.purge_stop, between two batches; "paused": it waits for the server; the next run goes on after both; "planned": a dry run',
    ),
  pause: z
    .strictObject({ reason: text, seconds: count })
    .nullable()
    .describe('what it waits for, or who has stopped it, and after how long it is worth to look again'),
  series: text
    .nullable()
    .describe(
      'the number that this run shares with those before it that did not finish; in the keys of archive and certificate',
    ),
  rowsDone: count.describe('rows of the table that were deleted or anonymised, by all runs of the series'),
  children: z
    .array(z.strictObject({ table: text, deleted: count, changed: count }))
    .describe('rows of other tables, by all runs of the series'),
  skipped: z.strictObject({
    held: count.describe('under a legal hold, their own or that of a row which would go with them'),
    referenced: count.describe('still referenced by a row of another table'),
    other: count.describe('locked by another session, or kept by a trigger'),
  }),
  rowsLeft: count
    .nullable()
    .describe('rows past retention that are still there, counted at the end; null when the run did not get there'),
  oldest: text.nullable().describe('the oldest of the rows that are left'),
  archive: archiveResult.nullable(),
  partitions: z.array(partitionResult),
  plan: policyPlan.nullable().describe('a dry run only'),
  warnings: z.array(text),
  vacuum: z
    .enum(['done', 'not needed', 'not permitted', 'out of time', 'busy'])
    .nullable()
    .describe('VACUUM (ANALYZE) afterwards; the server only warns when it is not permitted, so this is asked before'),
  certificateKey: text.nullable(),
  batches: count,
  slowestBatchMs: count,
  durationMs: count,
});

export type PolicyResult = z.output<typeof policyResult>;
export type PolicyPlan = z.output<typeof policyPlan>;
export type PartitionResult = z.output<typeof partitionResult>;
export type ArchiveResult = z.output<typeof archiveResult>;
export type ChildAction = z.output<typeof childAction>;

export const purgeResult = z.strictObject({
  dryRun: z.boolean(),
  complete: z.boolean().describe('false when a policy stopped or paused before its end: run purge again'),
  waitSeconds: count.describe('how long to wait before that; 0 for at once, or when complete'),
  rowsDone: count.describe('by this run, those of other tables included'),
  planHash: text.nullable().describe('a dry run only: give it as "plan" to run exactly this'),
  piiWithoutPolicy: z
    .array(z.strictObject({ table: text, columns: z.array(text) }))
    .describe('classified personal data that no policy ever purges'),
  policies: z.array(policyResult),
});

export type PurgeResult = z.output<typeof purgeResult>;
