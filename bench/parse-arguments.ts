// The options of `npm run bench`. Anything that does not fit is refused before something is started (exit code 2).
import { caseNames, type DataSetName, dataSetNames, type Sink, sinks } from './backup/cases.ts';
import { flagOption, LARGEST_SEED, optionValues, randomSeed, textOption } from './option-values.ts';

export interface BackupBenchOptions {
  rounds: number;
  /** MiB of COPY text per data set. */
  sizeMiB: number;
  dataSets: DataSetName[];
  sinks: Sink[];
  /** Delays of each request to the discarding sink, in ms; ours only. */
  latenciesMs: number[];
  /** Names of the cases to run; all that the server allows without it. */
  only: string[] | undefined;
  /** Where the JSON goes; none without it. */
  jsonFile: string | undefined;
  /** Major of the server; the newest PostgreSQL of this machine without it. */
  serverMajor: number | undefined;
  /** For layers/postgres-client/build.sh, when this machine lacks the client programs of that major. */
  aptSources: string | undefined;
  /** Sizes in GiB of which only the memory of ours is looked at. */
  growthGiB: number[];
  seed: number;
  tls: boolean;
}

export const HELP = `npm run bench -- backup [options]
npm run bench -- restore [options]: the restore beside pg_restore; --help after it tells its options
npm run bench -- purge [options]: the purge beside one DELETE, under load; --help after it tells its options
npm run bench -- lint [options]: the lint of migrations beside squawk; --help after it tells its options
npm run bench -- scaling [options]: the distributed backup with 1 to 8 workers; --help after it tells its options

Backs up throw-away databases of one local PostgreSQL with the backup function as it is deployed, with pg_dump and with
psql, side by side, and compares time, processor and memory. Needs Linux.

  --rounds N          runs of each case, 0 to 50 (default 3); 0 only with --growth
  --size MIB          COPY text per data set, 1 to 100000 MiB (default 1024)
  --data LIST         of ${dataSetNames.join(',')} (default: all)
  --sink LIST         of ${sinks.join(',')} (default: both)
  --latency LIST      ms that each request to the discarding S3 takes longer, 0 to 5000 (default 0,100,300); ours only
  --only LIST         of ${caseNames.join(',')},
                      or the beginning of such names, as "ours" (default: all)
  --growth LIST       GiB, 0.01 to 100: peak memory of ours over size, on a table of that size each
  --server MAJOR      16, 17 or 18: that server instead of this machine's newest, fetched when it is not installed
  --apt-sources FILE  package sources for its client programs (see layers/postgres-client/build.sh)
  --tls on|off        off compares without TLS, which nobody deploys (default on, verify-full)
  --seed N            order of the runs (default: random; it is printed and recorded)
  --json FILE         every single run, and what it ran on
  --help              this text

Exit codes: 0 all runs ended well, 1 a run failed, 2 wrong options or a machine that lacks something,
130 Ctrl-C. A target that is not met is no failure.`;

const { wrong, parse, notBlank, integer, numbers, words } = optionValues('npm run bench -- --help');

/** The options, or `help`; throws LocalRunError that names the first thing that is wrong, and what is allowed. */
export function parseArguments(args: readonly string[]): BackupBenchOptions | 'help' {
  const { values, positionals } = readOptions(args);
  if (values.help) return 'help';
  if (positionals.length !== 1 || positionals[0] !== 'backup') {
    throw wrong(`the benchmark is "${positionals.join(' ')}"; it must be backup`);
  }
  const growthGiB = numbers('growth', values.growth, 0.01, 100) ?? [];
  const rounds = integer('rounds', values.rounds, 0, 50) ?? 3;
  if (rounds === 0 && growthGiB.length === 0) throw wrong('--rounds is 0 without --growth; it must be 1 to 50');
  return {
    rounds,
    growthGiB,
    sizeMiB: integer('size', values.size, 1, 100_000) ?? 1_024,
    dataSets: words('data', values.data, dataSetNames) ?? [...dataSetNames],
    sinks: words('sink', values.sink, sinks) ?? [...sinks],
    latenciesMs: latencies(values.latency),
    only: values.only === undefined ? undefined : casesThatBeginWith(values.only),
    jsonFile: notBlank('json', values.json),
    serverMajor: integer('server', values.server, 16, 18),
    aptSources: notBlank('apt-sources', values['apt-sources']),
    seed: integer('seed', values.seed, 0, LARGEST_SEED) ?? randomSeed(),
    tls: (words('tls', values.tls, ['on', 'off']) ?? ['on'])[0] === 'on',
  };
}

function readOptions(args: readonly string[]) {
  return parse(args, {
    rounds: textOption,
    size: textOption,
    data: textOption,
    sink: textOption,
    latency: textOption,
    only: textOption,
    growth: textOption,
    server: textOption,
    'apt-sources': textOption,
    tls: textOption,
    seed: textOption,
    json: textOption,
    help: flagOption,
  });
}

function latencies(text: string | undefined): number[] {
  const values = numbers('latency', text, 0, 5_000) ?? [0, 100, 300];
  return [...new Set(values)].toSorted((a, b) => a - b);
}

function casesThatBeginWith(text: string): string[] {
  const beginnings = text.split(',');
  const stranger = beginnings.find((item) => item === '' || !caseNames.some((name) => name.startsWith(item)));
  if (stranger !== undefined)
    throw wrong(`--only has "${stranger}"; allowed are ${caseNames.join(', ')}, or a beginning`);
  return caseNames.filter((name) => beginnings.some((item) => name.startsWith(item)));
}
