// The frame of every command of this repository: Ctrl-C, clear errors without a stack, exit codes.
import { JobFailure } from '../functions/shared/job-failure.ts';
import { LocalRunError } from './local-run-error.ts';

/** What is running is stopped, everything is cleaned up, and the shell's exit code for the signal is given. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(name: string, words: string, exitCode: number) {
    super(`stopped by ${name}; ${words}`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs `command` and sets the exit code of the process: what it answers, 2 for bad input or a machine that lacks something
 * (LocalRunError), what `exitCodeOf` says of a failure of the work (JobFailure), 130 and 143 after Ctrl-C and SIGTERM.
 *
 * `stopped` says in a few words what is left after Ctrl-C. Any other error is a defect and thrown with its stack.
 */
export async function runCommand(
  command: (signal: AbortSignal) => Promise<number>,
  { stopped, exitCodeOf }: { stopped: string; exitCodeOf: (failure: JobFailure) => 1 | 2 },
): Promise<void> {
  const interrupted = new AbortController();
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => interrupted.abort(new Interrupted(signal, stopped, 128 + number)));
  }
  try {
    process.exitCode = await command(interrupted.signal);
  } catch (error) {
    const { reason } = interrupted.signal;
    if (reason instanceof Interrupted) {
      console.error(`\n${reason.message}`);
      process.exitCode = reason.exitCode;
      return;
    }
    if (!(error instanceof LocalRunError || error instanceof JobFailure)) throw error;
    // The runbook has a row for each code.
    const [said = '', ...excerpt] = error instanceof JobFailure ? error.message.split('\n') : [error.message];
    const code = error instanceof JobFailure ? ` [${error.code}]` : '';
    console.error(['', `${said}${code}`, ...excerpt].join('\n'));
    process.exitCode = error instanceof JobFailure ? exitCodeOf(error) : 2;
  }
}
