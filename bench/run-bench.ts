// `npm run bench`: benchmarks of Nightshift beside its peers, on this machine. Exit codes: 0 ok, 1 a run failed, 2 bad input.
import { existsSync } from 'node:fs';
import { LocalRunError } from '../local/local-run-error.ts';
import { runCommand } from '../local/run-command.ts';
import { HELP, parseArguments } from './parse-arguments.ts';

type Bench = (args: readonly string[], signal: AbortSignal, say: (words: string) => void) => Promise<boolean>;

/** Loaded only when asked for. Any other word belongs to the benchmark of the backup. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  scaling: async () => (await import('./scaling/bench-scaling.ts')).benchScaling,
  restore: async () => (await import('./restore/bench-restore.ts')).benchRestore,
  migrate: async () => (await import('./migrate/bench-migrate.ts')).benchMigrate,
  purge: async () => (await import('./purge/bench-purge.ts')).benchPurge,
  lint: async () => (await import('./lint/bench-lint.ts')).benchLint,
};

await runCommand(
  async (signal) => {
    const [name, ...rest] = process.argv.slice(2);
    const say = (words: string) => console.log(words);
    const own = benches[name ?? ''];
    if (own !== undefined) {
      mustBeLinux();
      return (await (await own())(rest, signal, say)) ? 0 : 1;
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
