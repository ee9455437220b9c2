// What starts a restore drill and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';

export const restoreDrillEvent = jobEventSchema('restore-drill', {
  backupId: z.string().min(1).optional().describe('the backup to restore; without it the newest one'),
}).describe('Restores a backup into a scratch database, compares it with its manifest and drops the scratch database.');

export type RestoreDrillEvent = z.output<typeof restoreDrillEvent>;

export const restoreDrillResult = z.strictObject({
  outcome: z.literal('ok').describe('a drill that finds a difference throws, after it has recorded the evidence'),
  backupId: z.string(),
  takenAt: z.string().describe('the instant of the snapshot of the backup, UTC'),
  tables: z.int().describe('tables whose row counts were compared'),
  rows: z.int(),
  sequences: z.int().describe('sequences whose values were compared'),
  largeObjects: z.int().describe('large objects whose contents were compared'),
  rtoSeconds: z.number().describe('how long fetching the archive and restoring it took'),
  notProven: z.array(z.string()).describe('what a restore on this server cannot prove'),
  swept: z.array(z.string()).describe('scratch databases of earlier, crashed drills that were dropped'),
  evidence: z.string().describe('S3 key of the drill record'),
});

export type RestoreDrillResult = z.output<typeof restoreDrillResult>;
