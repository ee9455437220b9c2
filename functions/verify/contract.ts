// What starts a verification, or one step of a distributed one, and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';
import { sampleSchema } from '../shared/verification.ts';

export const verifyEvent = jobEventSchema('verify', {
  step: z
    .enum(['plan', 'read', 'finish'])
    .optional()
    .describe('one step of the backup workflow, which alone sets it; without it everything is read in this run'),
  backupId: z
    .string()
    .regex(/^\d{8}T\d{6}Z(-[23])?$/)
    .optional()
    .describe('which backup; left out, the newest one that is neither verified nor broken, else the newest'),
  executionId: z.string().min(1).max(300).optional().describe('of the workflow, for the log'),
  verificationId: z
    .string()
    .regex(/^[\w-]{1,100}$/)
    .optional()
    .describe('the verification that plan has begun; read and finish need it'),
  group: z.int().min(0).max(999).optional().describe('which group of the plan this read step reads'),
  sample: z
    .string()
    .regex(/^[1-9]\d{0,3}\/[1-9]\d{0,3}$/)
    .optional()
    .describe('read only this sample, as "2/7"; left out, as VERIFY_SAMPLES says'),
})
  .superRefine((event, context) => {
    const needed: Partial<Record<string, readonly ('backupId' | 'verificationId' | 'group')[]>> = {
      read: ['backupId', 'verificationId', 'group'],
      finish: ['backupId', 'verificationId'],
    };
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    for (const name of needed[event.step ?? ''] ?? []) {
      if (event[name] === undefined) complain(name, `step "${event.step}" needs it`);
    }
    if (event.dryRun === true && event.step !== undefined) complain('dryRun', 'a step of the workflow has no dry run');
    const [number = 1, of = 2] = event.sample?.split('/').map(Number) ?? [];
    if (of < 2 || of > 1_000 || number > of) complain('sample', 'must be "n/t" with t from 2 to 1000 and n up to t');
  })
  .describe(
    'Reads a backup back from S3 and compares every byte with the manifest; the database is not touched. With dryRun no evidence is left.',
  );

export type VerifyEvent = z.output<typeof verifyEvent>;

export const verifyResult = z.strictObject({
  outcome: z.enum(['ok', 'sample ok']).describe('a damaged backup is no answer: the run fails with verify.damaged'),
  state: z
    .enum(['candidate', 'verified', 'broken'])
    .describe('of the backup, by all evidence: "candidate" until every sample was read, "broken" once damaged'),
  backupId: z.string(),
  verificationId: z.string(),
  takenAt: z.string().describe('the instant of the snapshot, UTC'),
  sample: sampleSchema.nullable().describe('null when everything was read'),
  objects: z.int().describe('objects that were read, wholly or in part'),
  bytes: z.int().describe('stored bytes that were read'),
  tables: z.int(),
  rows: z.int(),
  evidence: z.string().nullable().describe('key of the evidence, with the row digest of each table; null in a dry run'),
});

export type VerifyResult = z.output<typeof verifyResult>;

/** The answer of step plan: the workflow chooses by `mode`. */
export const verifyPlanResult = z.strictObject({
  mode: z
    .enum(['inline', 'distributed', 'verified'])
    .describe('"inline": small enough for one function. "verified": nothing is left to do for the given backup'),
  backupId: z.string(),
  verificationId: z.string(),
  estimatedBytes: z.int().describe('stored bytes to read'),
  groups: z.array(z.int()).describe('the numbers of the groups to read'),
  concurrency: z.int().describe('read steps at the same time'),
});

export type VerifyPlanResult = z.output<typeof verifyPlanResult>;

/** The answer of a read step. */
export const verifyReadResult = z.strictObject({
  backupId: z.string(),
  verificationId: z.string(),
  group: z.int(),
  bytes: z.int().describe('stored bytes that were read'),
  findings: z.int().describe('what is damaged; finish fails by it'),
});

export type VerifyReadResult = z.output<typeof verifyReadResult>;
