// Shows how far a restore is: one line that is written over on a terminal, and now and then a new line elsewhere.
import type { WriteStream } from 'node:tty';
import type { Clock } from '../../functions/shared/clock.ts';
import type { RestoreProgress } from '../../functions/shared/restore/restore-progress.ts';
import { progressLine } from './progress-line.ts';

const ON_TERMINAL_MS = 200;
const ELSEWHERE_MS = 10_000;
/** A terminal that does not say how wide it is. */
const USUAL_COLUMNS = 80;

export interface ShownProgress {
  update(this: void, progress: RestoreProgress): void;
  /** Ends the line; may be called again. */
  stop(): void;
}

/** Shows what `update` gets: on a terminal five times a second, elsewhere each new stage and a line every ten seconds. */
export function startProgress(output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>, clock: Clock): ShownProgress {
  const startedMs = clock.monotonicMs();
  let latest: RestoreProgress | undefined;
  let startBytes: number | undefined;
  let hasLine = false;
  const show = () => {
    if (latest === undefined) return;
    // A line that fills the last column would wrap.
    const width = output.isTTY ? (output.columns || USUAL_COLUMNS) - 1 : Number.POSITIVE_INFINITY;
    const elapsedMs = clock.monotonicMs() - startedMs;
    const line = progressLine(latest, { startBytes: startBytes ?? 0, elapsedMs, width });
    output.write(output.isTTY ? `\r\u001b[2K${line}` : `${line}\n`);
    hasLine = output.isTTY;
  };
  const timer = setInterval(show, output.isTTY ? ON_TERMINAL_MS : ELSEWHERE_MS);
  timer.unref();
  return {
    update: (progress) => {
      // What an earlier run has loaded says nothing about the speed of this one.
      if (startBytes === undefined && progress.stage !== 'structure') startBytes = progress.bytes;
      const isNewStage = latest?.stage !== progress.stage && progress.stage !== 'done';
      latest = progress;
      if (isNewStage && !output.isTTY) show();
    },
    stop: () => {
      clearInterval(timer);
      if (hasLine) output.write('\r\u001b[2K');
      hasLine = false;
    },
  };
}
