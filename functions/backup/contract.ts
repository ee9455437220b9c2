// What starts a backup and what it answers.
import * as z from 'zod';
import { jobEventSchema } from '../shared/job-event.ts';

export const backupEvent = jobEventSchema('backup', {}).describe(
  'Makes one backup. With scheduledTime its id is that time, so a second delivery of the same event makes no second backup; without, its id is the start time.',
);

export type BackupEvent = z.output<typeof backupEvent>;

export const backupResult = z.strictObject({
  backupId: z.string().describe('the scheduled time in UTC, as 20261122T020000Z; later attempts end in -2 and -3'),
  alreadyMade: z
    .boolean()
    .describe('true when an earlier delivery of the same event has made this backup; nothing was done then'),
  takenAt: z.string().describe('the instant of the snapshot, UTC'),
  key: z.string().describe('S3 key of the archive'),
  bytes: z.int().describe('size of the archive'),
  sha256: z.string().describe('SHA-256 of the archive'),
  tables: z.int(),
  rows: z.int().describe('rows of all tables, counted in the same snapshot'),
});

export type BackupResult = z.output<typeof backupResult>;
