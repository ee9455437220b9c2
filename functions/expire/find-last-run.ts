// When expire last ended well, by its own run records: the second clock against which the first one is held.
import { describeError } from '../shared/job-failure.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { runRecordSchema, runRecordsPrefix } from '../shared/run-record.ts';

/**
 * The end of the last run that ended well and was no dry run; undefined when there is none.
 *
 * A refused run does not count, or the second try of Lambda would pass where the first one was refused. A record that
 * cannot be read gives a text that says so.
 */
export async function findLastRun(store: ObjectStore, database: string): Promise<Date | undefined | string> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${runRecordsPrefix(database)}expire/`)) keys.push(key);
  // A key is <finished>-<run id>.json, and the instant sorts as text.
  for (const key of keys.toReversed()) {
    const recordText = await store.getText(key);
    if (recordText === undefined) continue;
    try {
      const { outcome, dryRun, finishedAt } = runRecordSchema.parse(JSON.parse(recordText));
      if (outcome === 'ok' && !dryRun) return new Date(finishedAt);
    } catch (error) {
      return `run record "${key}" cannot be read: ${describeError(error)}`;
    }
  }
  return undefined;
}
