// Runs the age checks of health on the bucket of startLocalAws() at a fixed time, and counts what they ask of S3.
import type { AgeLimits } from '../../functions/health/ages/age-checks.ts';
import { runAges } from '../../functions/health/ages/run-ages.ts';
import type { CheckResult } from '../../functions/health/contract.ts';
import { type Clock, systemClock } from '../../functions/shared/clock.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { type RecordedContext, recordedContext } from './job-context.ts';
import type { LocalAws } from './local-aws.ts';

const NOW = new Date('2026-11-22T06:00:00Z');
/** Four hours before every run. */
export const TODAY = '20261122T020000Z';
export const YESTERDAY = '20261121T020000Z';
export const LIMITS: AgeLimits = { backup: 28, verified: 31, drill: 76, replica: undefined };

interface AgeRun extends Pick<RecordedContext, 'put' | 'events'> {
  byId: Record<string, CheckResult>;
  statuses: CheckResult['status'][];
}

export interface AgeRuns {
  /** A run whose requests are counted from 0; it takes the place of a fault that the test has set. */
  counted(database: string, limits?: AgeLimits): Promise<AgeRun>;
  /** A run with whatever S3 does at the moment. */
  asIs(database: string, limits?: AgeLimits, clock?: Partial<Clock>): Promise<AgeRun>;
  /** Of the last counted run. */
  requests(): readonly { operation: string; key: string }[];
}

export function createAgeRuns(aws: LocalAws, store: ObjectStore): AgeRuns {
  let requests: { operation: string; key: string }[] = [];
  const asIs: AgeRuns['asIs'] = async (database, limits = LIMITS, clock = {}) => {
    const context = recordedContext({ clock: { ...systemClock, now: () => NOW, ...clock }, store });
    const results = await runAges({ ...context, database, limits });
    const byId = Object.fromEntries(results.map((result) => [result.id, result]));
    return { byId, put: context.put, events: context.events, statuses: results.map(({ status }) => status) };
  };
  return {
    asIs,
    counted: async (database, limits) => {
      requests = [];
      aws.setFault(({ operation, key }) => {
        requests.push({ operation, key });
        return undefined;
      });
      return await asIs(database, limits);
    },
    requests: () => requests,
  };
}
