// `npm run bench`: benchmarks of Nightshift beside its peers, on this machine. Exit codes: 0 ok, 1 a run failed, 2 bad input.
import { existsSync } from 'node:fs';
import { LocalRunError } from '../local/local-run-error.ts';
import { runCommand } from '../local/run-command.ts';
import { HELP, parseArguments } from './parse-arguments.ts';

await runCommand(
  async (signal) => {
    const [name, ...own] = process.argv.slice(2);
    const say = (words: string) => console.log(words);
    if (name === 'scaling') {
      mustBeLinux();
      const { benchScaling } = await import('./scaling/bench-scaling.ts');
      return (await benchScaling(own, signal, say)) ? 0 : 1;
    }
    if (name === 'restore') {
      mustBeLinux();
      const { benchRestore } = await import('./restore/bench-restore.ts');
      return (await benchRestore(own, signal, say)) ? 0 : 1;
    }
    if (name === 'migrate') {
      mustBeLinux();
      const { benchMigrate } = await import('./migrate/bench-migrate.ts');
      return (await benchMigrate(own, signal, say)) ? 0 : 1;
    }
    const options = parseArguments(process.argv.slice(2));
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    mustBeLinux();
    // Only now: it loads the CDK for the options of the bundle, and help shall not wait for that.
    const { benchBackup } = await import('./backup/bench-backup.ts');
    return (await benchBackup(options, signal, say)) ? 0 : 1;
  },
  { stopped: 'the throw-away cluster and all folders are gone', exitCodeOf: () => 2 },
);

/** Processor time and memory are read from /proc, and the folder in memory is /dev/shm. */
function mustBeLinux(): void {
  if (existsSync('/proc/self/status') && existsSync('/dev/shm')) return;
  throw new LocalRunError(
    `this system (${process.platform}) has no /proc or no /dev/shm, so nothing could be measured. Nothing was started`,
    'run the benchmark on Linux',
  );
}
