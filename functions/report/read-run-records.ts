// Reads the run records that a report needs: the last 24 h, and of each expected job as far back as its window reaches.
import { compactInstant } from '../shared/clock.ts';
import { jobNames } from '../shared/jobs.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { type RunRecord, runRecordSchema, runRecordsPrefix } from '../shared/run-record.ts';
import type { ExpectedJob } from './parse-expected-jobs.ts';

export const REPORT_HOURS = 24;

/** Requests at a time: a day of quarter-hour health runs is about a hundred small objects. */
const READS_IN_FLIGHT = 8;

export interface RunRecords {
  /** Newest first. */
  records: RunRecord[];
  /** Keys of records that could not be understood, with why. */
  unreadable: string[];
}

/** Lists per job, so that the many records of health do not hide those of the others. */
export async function readRunRecords(
  store: ObjectStore,
  database: string,
  expected: readonly ExpectedJob[],
  now: Date,
): Promise<RunRecords> {
  const wanted: string[] = [];
  for (const job of jobNames) {
    const ofJob = await listKeys(store, `${runRecordsPrefix(database)}${job}/`);
    wanted.push(...chooseKeys(ofJob, expected.find((one) => one.job === job)?.hours ?? REPORT_HOURS, now));
  }
  const records: RunRecord[] = [];
  const unreadable: string[] = [];
  for (let from = 0; from < wanted.length; from += READS_IN_FLIGHT) {
    const some = wanted.slice(from, from + READS_IN_FLIGHT);
    for (const read of await Promise.all(some.map(async (key) => await readRecord(store, database, key)))) {
      if (typeof read === 'string') unreadable.push(read);
      else records.push(read);
    }
  }
  return {
    records: records.toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt)),
    unreadable,
  };
}

async function listKeys(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** All of the last 24 h; when there are none, the newest three within the job's own, longer window. */
function chooseKeys(keys: readonly string[], windowHours: number, now: Date): string[] {
  const since = (hours: number) => {
    const oldest = compactInstant(new Date(now.getTime() - hours * 3_600_000));
    // A key ends in <finished>-<run id>.json, and the instant sorts as text.
    return keys.filter((key) => key.slice(key.lastIndexOf('/') + 1) >= oldest);
  };
  const recent = since(REPORT_HOURS);
  return recent.length > 0 || windowHours <= REPORT_HOURS ? recent : since(windowHours).slice(-3);
}

async function readRecord(store: ObjectStore, database: string, key: string): Promise<RunRecord | string> {
  const recordText = await store.getText(key);
  if (recordText === undefined) return `${key}: it was deleted while it was read`;
  try {
    const parsed = runRecordSchema.safeParse(JSON.parse(recordText));
    if (!parsed.success) return `${key}: it is no run record of version 1`;
    return parsed.data.database === database ? parsed.data : `${key}: it belongs to database "${parsed.data.database}"`;
  } catch {
    return `${key}: it is not JSON`;
  }
}
