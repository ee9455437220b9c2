// What starts a restore drill, or one step of its workflow, and what it answers.
import * as z from 'zod';
import { drillDifferenceSchema, drillFindingSchema, drillRecordSchema } from '../shared/drill-record.ts';
import { jobEventSchema } from '../shared/job-event.ts';

const count = z.int().min(0);

/** What the items that were compared so far add up to. */
const comparedSoFar = z.strictObject({
  differences: z.array(drillDifferenceSchema).max(100),
  differenceCount: count,
  findings: z.array(drillFindingSchema),
  notProven: z.array(z.string()),
  compared: drillRecordSchema.shape.compared,
});

/** A drill under way, as one pass leaves it to the next: plain JSON that goes through the workflow. */
export const drillState = z.strictObject({
  drillId: z.string().regex(/^[\w-]{1,120}$/),
  backupId: z.string().regex(/^\d{8}T\d{6}Z(-[23])?$/),
  chosenAs: drillRecordSchema.shape.chosenAs,
  /** Name of the scratch database. */
  scratch: z.string(),
  startedAt: z.iso.datetime(),
  /** When the first pass began to restore; null before. */
  restoreStartedAt: z.iso.datetime().nullable(),
  rtoSeconds: z.number().min(0).nullable(),
  /** How many steps of the restore were done when a pass began, and how many passes in a row found that number. */
  stepsDone: count,
  idlePasses: count,
  /** What was to be said about free storage; null: no pass has looked. */
  storageFindings: z.array(drillFindingSchema).nullable(),
  /** What the role was not allowed to make. */
  forbidden: z.array(z.string()),
  /** Index of the first item that is not compared yet. */
  nextItem: count,
  soFar: comparedSoFar,
});

export type DrillState = z.output<typeof drillState>;

export const restoreDrillEvent = jobEventSchema('restore-drill', {
  step: z
    .enum(['plan', 'work', 'finish', 'abort'])
    .optional()
    .describe('one step of the drill workflow, which alone sets it; without it everything is done in this run'),
  backupId: z
    .string()
    .regex(/^\d{8}T\d{6}Z(-[23])?$/)
    .optional()
    .describe(
      'the backup to restore; without it the newest verified one, and every OLDER_EVERY_DAYS days a random older one too',
    ),
  executionId: z.string().min(1).max(300).optional().describe('of the workflow; names its drills'),
  drill: drillState.optional().describe('the drill that this pass goes on with'),
  drills: z.array(drillState).max(2).optional().describe('those that plan has chosen; finish and abort need them'),
  swept: z.array(z.string()).optional().describe('what plan has swept, for the answer of finish'),
  cause: z.string().max(32_768).optional().describe('why the workflow aborts the drill'),
})
  .superRefine((event, context) => {
    const needed: Partial<Record<string, readonly ('executionId' | 'drill' | 'drills')[]>> = {
      plan: ['executionId'],
      work: ['drill'],
      finish: ['drills'],
    };
    for (const name of needed[event.step ?? ''] ?? []) {
      if (event[name] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: `step "${event.step}" needs it` });
    }
  })
  .describe(
    'Restores a backup into a scratch database, compares everything with what was backed up, and drops it. With dryRun it only says which backups it would take.',
  );

export type RestoreDrillEvent = z.output<typeof restoreDrillEvent>;

const drilledBackup = z.strictObject({
  backupId: z.string(),
  chosenAs: drillRecordSchema.shape.chosenAs,
  takenAt: z.string().describe('the instant of the snapshot of the backup, UTC'),
  compared: drillRecordSchema.shape.compared.describe('what was compared and found equal'),
  rtoSeconds: z.number().nullable().describe('how long restoring it took, ANALYZE included; null in a dry run'),
  findings: z.array(drillFindingSchema).describe('what is different about the server, and no fault of the backup'),
  notProven: z.array(z.string()).describe('what a restore on this server cannot prove'),
  evidence: z.string().nullable().describe('S3 key of the drill record; null in a dry run'),
});

export const restoreDrillResult = z.strictObject({
  outcome: z
    .enum(['ok', 'planned'])
    .describe('a drill that finds a difference throws, after it has recorded the evidence; a dry run is "planned"'),
  drills: z.array(drilledBackup).min(1).describe('the newest first; a second one when an older backup was due'),
  swept: z.array(z.string()).describe('scratch databases of earlier, crashed drills that were dropped'),
});

export type RestoreDrillResult = z.output<typeof restoreDrillResult>;

/** The answer of step plan. */
export const drillPlanResult = z.strictObject({
  drills: z.array(drillState).min(1),
  swept: z.array(z.string()),
});

export type DrillPlanResult = z.output<typeof drillPlanResult>;

/** The answer of step work. */
export const drillWorkResult = z.strictObject({
  done: z.boolean().describe('false when the time was over: the same step is to be started again with this drill'),
  drill: drillState,
});

export type DrillWorkResult = z.output<typeof drillWorkResult>;
