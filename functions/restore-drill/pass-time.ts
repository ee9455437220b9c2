// How long one pass of a drill may take: in the workflow another one goes on where it stopped, by itself it must end.
import { STOP_BEFORE_DEADLINE_MS } from '../shared/job-handler.ts';
import type { RestoreDrillJob } from './run-restore-drill.ts';

export interface PassTime {
  /** From then on nothing is begun; what runs may end. */
  readonly pause: AbortSignal;
  /** From then on everything is broken off; the reason is a PassOver in the workflow. */
  readonly breakOff: AbortSignal;
  stop(): void;
}

/** The time of a pass is over; the next one goes on. */
export class PassOver extends Error {
  override readonly name = 'PassOver';

  constructor() {
    super('the time of this pass is over');
  }
}

/** A range is made for 4 minutes at 20 MB/s: what was begun before this can usually end. */
const LAST_STEPS_MS = 300_000;
/** To close sessions and to answer. */
const ANSWER_MS = 10_000;

/** For a pass of the workflow. */
export function startPass({ timeLimitMs, signal }: Pick<RestoreDrillJob, 'timeLimitMs' | 'signal'>): PassTime {
  const pause = new AbortController();
  const over = new AbortController();
  const breakOffMs = Math.max(0, timeLimitMs - STOP_BEFORE_DEADLINE_MS - ANSWER_MS);
  const timers = [
    setTimeout(() => pause.abort(), Math.max(0, breakOffMs - Math.min(LAST_STEPS_MS, breakOffMs / 3))),
    setTimeout(() => over.abort(new PassOver()), breakOffMs),
  ];
  for (const timer of timers) timer.unref();
  return {
    pause: pause.signal,
    breakOff: AbortSignal.any([over.signal, signal]),
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** For a drill in one run, which has no other pass. */
export function onlyPass({ signal }: Pick<RestoreDrillJob, 'signal'>): PassTime {
  return { pause: new AbortController().signal, breakOff: signal, stop: () => {} };
}
