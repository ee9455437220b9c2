// Shows how far a restore is: one line that is written over on a terminal, and now and then a new line elsewhere.
import type { WriteStream } from 'node:tty';
import type { Clock } from '../../functions/shared/clock.ts';
import type { RestoreProgress } from '../../functions/shared/restore/restore-progress.ts';
import { progressLine } from './progress-line.ts';

const ON_TERMINAL_MS = 200;
const ELSEWHERE_MS = 10_000;

export interface ShownProgress {
  update(this: void, progress: RestoreProgress): void;
  /** Ends the line; may be called again. */
  stop(): void;
}

/** Shows what `update` gets, from time to time. */
export function startProgress(output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>, clock: Clock): ShownProgress {
  const startedMs = clock.monotonicMs();
  let latest: RestoreProgress | undefined;
  let startBytes: number | undefined;
  let hasLine = false;
  const show = () => {
    if (latest === undefined) return;
    const line = progressLine(latest, startBytes ?? 0, clock.monotonicMs() - startedMs);
    if (output.isTTY) output.write(`\r\u001b[2K${line.slice(0, Math.max(20, (output.columns || 120) - 1))}`);
    else output.write(`${line}\n`);
    hasLine = output.isTTY;
  };
  const timer = setInterval(show, output.isTTY ? ON_TERMINAL_MS : ELSEWHERE_MS);
  timer.unref();
  return {
    update: (progress) => {
      // What an earlier run has loaded says nothing about the speed of this one.
      if (startBytes === undefined && progress.stage !== 'structure') startBytes = progress.bytes;
      latest = progress;
    },
    stop: () => {
      clearInterval(timer);
      if (hasLine) output.write('\r\u001b[2K');
      hasLine = false;
    },
  };
}
