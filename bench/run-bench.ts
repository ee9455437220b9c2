// `npm run bench`: benchmarks of Nightshift beside its peers, on this machine. Exit codes: 0 ok, 1 a run failed, 2 bad input.
import { existsSync } from 'node:fs';
import { JobFailure } from '../functions/shared/job-failure.ts';
import { LocalRunError } from '../local/local-run-error.ts';
import { HELP, parseArguments } from './parse-arguments.ts';

/** Ctrl-C and the like: what is running is killed, everything is cleaned up, and the shell's exit code for it is given. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: string, exitCode: number) {
    super(`stopped by ${signal}; the throw-away cluster and all folders are gone`);
    this.exitCode = exitCode;
  }
}

const interrupted = new AbortController();
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.once(signal, () => interrupted.abort(new Interrupted(signal, 128 + number)));
}

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const [name, ...own] = process.argv.slice(2);
    if (name === 'scaling') {
      mustBeLinux();
      const { benchScaling } = await import('./scaling/bench-scaling.ts');
      return (await benchScaling(own, interrupted.signal, (words) => console.log(words))) ? 0 : 1;
    }
    if (name === 'restore') {
      mustBeLinux();
      const { benchRestore } = await import('./restore/bench-restore.ts');
      return (await benchRestore(own, interrupted.signal, (words) => console.log(words))) ? 0 : 1;
    }
    const options = parseArguments(process.argv.slice(2));
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    mustBeLinux();
    // Only now: it loads the CDK for the options of the bundle, and help shall not wait for that.
    const { benchBackup } = await import('./backup/bench-backup.ts');
    return (await benchBackup(options, interrupted.signal, (words) => console.log(words))) ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.reason instanceof Interrupted) {
      console.error(`\n${interrupted.signal.reason.message}`);
      return interrupted.signal.reason.exitCode;
    }
    if (!(error instanceof LocalRunError || error instanceof JobFailure)) throw error;
    console.error(`\n${error.message}`);
    return 2;
  }
}

/** Processor time and memory are read from /proc, and the folder in memory is /dev/shm. */
function mustBeLinux(): void {
  if (existsSync('/proc/self/status') && existsSync('/dev/shm')) return;
  throw new LocalRunError(
    `this system (${process.platform}) has no /proc or no /dev/shm, so nothing could be measured. Nothing was started`,
    'run the benchmark on Linux',
  );
}
