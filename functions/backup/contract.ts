// What starts a backup, or one step of a distributed backup, and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';

export const backupEvent = jobEventSchema('backup', {
  step: z
    .enum(['plan', 'copy', 'hold', 'finish', 'abort'])
    .optional()
    .describe('one step of the backup workflow, which alone sets it; without it the whole backup is made in this run'),
  executionId: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe('of the workflow: a second start by the same execution goes on with the claim of the first'),
  backupId: z
    .string()
    .max(20)
    .optional()
    .describe('the backup that plan has begun; copy, hold, finish and abort need it'),
  group: z.int().min(0).max(999).optional().describe('which group of the plan this copy step makes'),
  pass: z.int().min(1).max(1_000).optional().describe('1, and one more each time a copy step ran out of time'),
  holder: z.enum(['first', 'second']).optional().describe('which of the two snapshot holders of the relay this is'),
  cause: z.string().max(32_768).optional().describe('why the workflow aborts the backup'),
})
  .superRefine((event, context) => {
    const needed: Partial<Record<string, readonly ('backupId' | 'executionId' | 'group' | 'pass' | 'holder')[]>> = {
      plan: ['executionId'],
      copy: ['executionId', 'backupId', 'group', 'pass'],
      hold: ['executionId', 'holder'],
      finish: ['executionId', 'backupId'],
      abort: ['executionId'],
    };
    for (const name of needed[event.step ?? ''] ?? []) {
      if (event[name] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: `step "${event.step}" needs it` });
    }
  })
  .describe(
    'Makes one backup. With scheduledTime its id is that time, so a second delivery of the same event makes no second backup; without, its id is the start time.',
  );

export type BackupEvent = z.output<typeof backupEvent>;

export const backupResult = z.strictObject({
  backupId: z.string().describe('the scheduled time in UTC, as 20261122T020000Z; later attempts end in -2 and -3'),
  alreadyMade: z
    .boolean()
    .describe('true when an earlier delivery of the same event has made this backup; nothing was done then'),
  takenAt: z.string().describe('the instant of the snapshot, UTC'),
  archive: z.string().describe('S3 prefix of the directory archive'),
  bytes: z.int().describe('size of the archive, all its objects'),
  tables: z.int(),
  rows: z.int().describe('rows of all tables, as the server counted them while it copied'),
  largeObjects: z.int(),
});

export type BackupResult = z.output<typeof backupResult>;

/** The answer of step plan: the workflow chooses by `mode`. */
export const planResult = z.strictObject({
  mode: z
    .enum(['inline', 'distributed', 'made'])
    .describe('"inline": small enough for one function. "made": an earlier delivery has made this backup'),
  backupId: z.string().nullable().describe('null for "inline", which claims its own'),
  estimatedBytes: z.int(),
  groups: z.array(z.int()).describe('the numbers of the groups to copy'),
  concurrency: z.int().describe('copy steps at the same time: as configured, or fewer when connection slots are short'),
});

export type PlanResult = z.output<typeof planResult>;

/** The answer of a copy step. */
export const copyResult = z.strictObject({
  backupId: z.string(),
  group: z.int(),
  pass: z.int().describe('of the next copy step of this group'),
  done: z.boolean().describe('false when the time was over: the same group is to be started again with the next pass'),
});

export type CopyResult = z.output<typeof copyResult>;

/** The answer of a holder of the relay. */
export const holdResult = z.strictObject({
  backupId: z.string(),
  done: z.boolean().describe('true when the backup has ended; false when this holder has to take over again'),
});

export type HoldResult = z.output<typeof holdResult>;
