// One run of expire as a test starts it, and what it has left in the bucket.
import { type ExpireEvent, type ExpireResult, expireResult } from '../../functions/expire/contract.ts';
import { parseKeepPolicy } from '../../functions/expire/keep-policy.ts';
import type { ExpirySettings } from '../../functions/expire/plan-expiry.ts';
import { runExpire } from '../../functions/expire/run-expire.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { type RecordedContext, recordedContext } from './job-context.ts';
import { BUCKET } from './local-aws.ts';

/** When the runs of the tests start, unless they say another time. */
export const NOW = new Date('2026-11-22T06:00:00Z');

export interface ExpireRun {
  keep?: string;
  settings?: Partial<ExpirySettings>;
  event?: Partial<ExpireEvent>;
  now?: Date;
  store?: ObjectStore;
  signal?: AbortSignal;
}

/** Runs it: keep the newest two, at least one, unverified ones for 7 days, any share of them at once. */
export async function expire(
  database: string,
  { keep = 'last=2', settings, event, now = NOW, store = createObjectStore(BUCKET), signal }: ExpireRun = {},
): Promise<{ result: ExpireResult } & Pick<RecordedContext, 'put' | 'events'>> {
  const context = recordedContext({ clock: { ...systemClock, now: () => now }, store, ...(signal && { signal }) });
  const result = await runExpire({
    ...context,
    database,
    settings: {
      keep: parseKeepPolicy(keep) ?? {},
      timeZone: 'Etc/UTC',
      keepAtLeast: 1,
      keepUnverifiedDays: 7,
      maxDeletePercent: 100,
      ...settings,
    },
    event: { job: 'expire', ...event },
  });
  return { result: expireResult.parse(result), put: context.put, events: context.events };
}

/** Keys below the database's prefix, one for each version and delete marker, in order. */
export async function readVersions(
  database: string,
  store: ObjectStore = createObjectStore(BUCKET),
): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.listVersions(`${database}/`)) keys.push(key.slice(database.length + 1));
  return keys.toSorted();
}
