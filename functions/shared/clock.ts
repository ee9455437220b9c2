// The only file that reads the time, so that tests can set it.
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Clock {
  now(): Date;
  /** Milliseconds of a clock that never jumps; for durations only. */
  monotonicMs(): number;
  /** Waits; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleepFor(ms, undefined, signal ? { signal } : {});
  },
};

/** `20261122T020000Z`: the form of an instant in backup ids; sorts as text in order of time. */
export function compactInstant(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '')}Z`;
}
