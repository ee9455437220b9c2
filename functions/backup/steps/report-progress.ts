// Tells in the log how far the copying is: rarely enough not to fill it, often enough to see that it moves.
import type { BackupPlan } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';

const EVERY_MS = 15_000;

interface Progress {
  /** Bytes of rows that have been read since the last call. */
  add: (bytes: number) => void;
  end: () => void;
}

/** Logs `backup.copying` with bytes so far, the estimate and MB/s every 15 s, and `backup.copied` at the end. */
export function reportProgress({ log, clock }: Pick<BackupJob, 'log' | 'clock'>, plan: BackupPlan): Progress {
  const startedMs = clock.monotonicMs();
  const sum = (list: readonly { estimatedBytes: number }[]) => list.reduce((all, one) => all + one.estimatedBytes, 0);
  const estimated = sum(plan.tables.flatMap(({ ranges }) => ranges)) + sum(plan.largeObjects);
  let bytes = 0;
  const say = (event: string) => {
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    log.info(event, {
      bytes,
      estimated_bytes: estimated,
      seconds: Math.round(seconds),
      mb_per_second: Math.round(bytes / 1e6 / Math.max(seconds, 0.001)),
    });
  };
  const timer = setInterval(() => say('backup.copying'), EVERY_MS);
  timer.unref();
  return {
    add: (more) => {
      bytes += more;
    },
    end: () => {
      clearInterval(timer);
      say('backup.copied');
    },
  };
}
