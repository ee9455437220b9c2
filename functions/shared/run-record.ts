// What each run leaves in the bucket, so that the report knows what ran, how it ended, and what did not run at all.
import * as z from 'zod';
import { databasePrefix } from './backup-layout.ts';
import { compactInstant } from './clock.ts';
import { jobNames } from './jobs.ts';
import type { ObjectStore } from './object-store.ts';

export const runRecordSchema = z.strictObject({
  recordVersion: z.literal(1),
  database: z.string(),
  job: z.enum(jobNames),
  runId: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  durationMs: z.int().min(0),
  dryRun: z.boolean(),
  outcome: z.enum(['ok', 'failed']),
  /** The answer of the job; empty for a failed run. */
  result: z.record(z.string(), z.unknown()),
  failure: z.strictObject({ code: z.string(), problem: z.string(), hint: z.string() }).nullable(),
});

export type RunRecord = z.output<typeof runRecordSchema>;

/** The prefix of all run records of a database. */
export function runRecordsPrefix(database: string): string {
  return `${databasePrefix(database)}runs/`;
}

/** Stores the record of one run under its own key; a job may write only below `runs/<job>/`. */
export async function storeRunRecord(store: ObjectStore, record: RunRecord): Promise<string> {
  const finished = compactInstant(new Date(record.finishedAt));
  const key = `${runRecordsPrefix(record.database)}${record.job}/${finished}-${record.runId}.json`;
  await store.putOwn(key, `${JSON.stringify(record, null, 2)}\n`, 'application/json');
  return key;
}
