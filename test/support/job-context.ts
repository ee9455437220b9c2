// What the handler frame gives to a job, for tests that call run<Job> directly: the log and the metrics are recorded.
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../functions/shared/clock.ts';
import type { JobContext } from '../../functions/shared/job-handler.ts';
import type { MetricName } from '../../functions/shared/metrics.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET } from './local-aws.ts';

export interface RecordedContext extends JobContext {
  readonly events: { event: string; fields: Readonly<Record<string, unknown>> }[];
  readonly put: Partial<Record<MetricName, number>>;
}

/** A context on the bucket of startLocalAws(). */
export function recordedContext(more: Partial<JobContext> = {}): RecordedContext {
  const events: RecordedContext['events'] = [];
  const put: RecordedContext['put'] = {};
  const record = (event: string, fields: Readonly<Record<string, unknown>> = {}) => void events.push({ event, fields });
  return {
    runId: randomUUID(),
    log: { info: record, warn: record, error: record },
    metrics: {
      put: (name, value) => {
        put[name] = value;
      },
      flush: () => {},
    },
    clock: systemClock,
    store: createObjectStore(BUCKET),
    timeLimitMs: 900_000,
    signal: new AbortController().signal,
    events,
    put,
    ...more,
  };
}
