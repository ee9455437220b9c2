// The evidence that a restore drill leaves beside a backup: written by the drill, read by whoever chooses or judges a backup.
import * as z from 'zod';
import { backupKeys } from './backup-layout.ts';
import { describeIssues } from './describe-issues.ts';
import { describeError, JobFailure } from './job-failure.ts';
import type { ObjectStore } from './object-store.ts';

const count = z.int().min(0);

export const drillDifferenceSchema = z.strictObject({
  /** Kind and name of the object, as `table "app"."notes"`. */
  what: z.string(),
  expected: z.string(),
  actual: z.string(),
});

export type DrillDifference = z.output<typeof drillDifferenceSchema>;

/** Something to know about the target or the backup that makes no difference of its contents. */
export const drillFindingSchema = z.strictObject({ what: z.string(), problem: z.string() });

export type DrillFinding = z.output<typeof drillFindingSchema>;

export const drillRecordSchema = z.strictObject({
  drillVersion: z.literal(1),
  database: z.string(),
  backupId: z.string(),
  /** The name of the record, and of the run that made it. */
  drillId: z.string(),
  toolVersion: z.string(),
  /** Why this backup: it was the newest verified one, a random older one, or somebody named it. */
  chosenAs: z.enum(['newest', 'older', 'named']),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /**
   * "ok": restored, everything compared and equal. "damaged": the archive is not what the manifest says. "failed": it did not
   * restore. "different": restored to something else, or an assertion did not hold. "unproven": this server lacks what the
   * backup needs (an extension, a role, a collation), which says nothing about the backup.
   */
  outcome: z.enum(['ok', 'damaged', 'failed', 'different', 'unproven']),
  /** Why it is not ok; null when it is. */
  problem: z.string().nullable(),
  target: z.strictObject({ kind: z.enum(['same server', 'drill target']), version: z.string() }),
  /** From the first read of the archive until the database could be used, ANALYZE included; null when it did not restore. */
  rtoSeconds: z.number().min(0).nullable(),
  /** Of the whole drill, comparison and clean-up included. */
  durationSeconds: z.number().min(0),
  /** What was compared and not only restored. */
  compared: z.strictObject({
    tables: count,
    rows: count,
    sequences: count,
    largeObjects: count,
    /** Definitions of everything else: columns, indexes, constraints, views, functions … */
    definitions: count,
    /** Files of sql/drill/ that returned no row. */
    assertions: count,
  }),
  /** The first 100 of them. */
  differences: z.array(drillDifferenceSchema).max(100),
  differenceCount: count,
  findings: z.array(drillFindingSchema),
  /** What a restore on this server cannot show. */
  notProven: z.array(z.string()),
});

export type DrillRecord = z.output<typeof drillRecordSchema>;

/** A record from its text; throws `drill.evidence_wrong`. */
export function parseDrillRecord(key: string, recordText: string): DrillRecord {
  let json: unknown;
  try {
    json = JSON.parse(recordText);
  } catch (error) {
    throw wrong(key, `it is not JSON: ${describeError(error)}`);
  }
  const parsed = drillRecordSchema.safeParse(json);
  if (!parsed.success) throw wrong(key, describeIssues(parsed.error, json).slice(0, 5).join('; '));
  return parsed.data;
}

/** All drills of a backup, oldest first; throws `drill.evidence_wrong` for what cannot be read, never leaves it out. */
export async function readDrillRecords(store: ObjectStore, database: string, backupId: string): Promise<DrillRecord[]> {
  const { drilledPrefix } = backupKeys(database, backupId);
  const found: DrillRecord[] = [];
  for await (const { key } of store.list(drilledPrefix)) {
    const recordText = await store.getText(key);
    if (recordText !== undefined) found.push(parseDrillRecord(key, recordText));
  }
  return found.toSorted((a, b) => a.finishedAt.localeCompare(b.finishedAt));
}

function wrong(key: string, problem: string): JobFailure {
  return new JobFailure({
    code: 'drill.evidence_wrong',
    problem: `the evidence "${key}" cannot be used: ${problem}`,
    safeState: 'Nothing is said about the backup',
    hint: 'deploy the version of Nightshift that wrote it, or look at the object in S3',
  });
}
