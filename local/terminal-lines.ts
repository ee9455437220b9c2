// Lines on stderr, and one below them that is written over while something runs, where the output is a terminal.
import type { WriteStream } from 'node:tty';

/** A terminal that does not say how wide it is. */
const USUAL_COLUMNS = 80;

export interface TerminalLines {
  readonly isTerminal: boolean;
  line(this: void, text: string): void;
  /** The line that is written over; elsewhere than on a terminal a line like any other. */
  over(this: void, text: string): void;
  /** Takes the line away that is written over; may be called again. */
  clear(this: void): void;
}

/** Writes to `output` (stderr). */
export function terminalLines(output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>): TerminalLines {
  let hasLine = false;
  const clear = () => {
    if (hasLine) output.write('\r\u001b[2K');
    hasLine = false;
  };
  const line = (text: string) => {
    clear();
    output.write(`${text}\n`);
  };
  return {
    isTerminal: output.isTTY,
    line,
    over: (text) => {
      if (!output.isTTY) {
        line(text);
        return;
      }
      // A line that fills the last column would wrap.
      output.write(`\r\u001b[2K${text.slice(0, (output.columns || USUAL_COLUMNS) - 1)}`);
      hasLine = true;
    },
    clear,
  };
}
