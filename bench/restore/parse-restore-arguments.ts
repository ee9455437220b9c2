// The options of `npm run bench -- restore`. Anything that does not fit is refused before something is started.
import { type DataSetName, dataSetNames } from '../backup/cases.ts';
import { flagOption, LARGEST_SEED, optionValues, randomSeed, textOption } from '../option-values.ts';

export interface RestoreBenchOptions {
  rounds: number;
  /** MiB of COPY text per data set. */
  sizeMiB: number;
  dataSets: DataSetName[];
  /** Where the JSON goes; none without it. */
  jsonFile: string | undefined;
  /** Major of the server; the newest PostgreSQL of this machine without it. */
  serverMajor: number | undefined;
  /** For layers/postgres-client/build.sh, when this machine lacks the client programs of that major. */
  aptSources: string | undefined;
  seed: number;
}

export const HELP_RESTORE = `npm run bench -- restore [options]

Restores backups of throw-away databases with \`npm run restore\` straight from S3 and with pg_restore -j2, side by side, and
compares time, processor and memory. Needs Linux.

  --rounds N          runs of each case, 1 to 50 (default 3)
  --size MIB          COPY text per data set, 1 to 100000 MiB (default 512)
  --data LIST         of ${dataSetNames.join(',')} (default: all)
  --server MAJOR      16, 17 or 18: that server instead of this machine's newest, fetched when it is not installed
  --apt-sources FILE  package sources for its client programs (see layers/postgres-client/build.sh)
  --seed N            order of the runs (default: random; it is printed and recorded)
  --json FILE         every single run, and what it ran on
  --help              this text

Exit codes: 0 all runs ended well, 1 a run failed, 2 wrong options or a machine that lacks something,
130 Ctrl-C. A target that is not met is no failure.`;

const { wrong, parse, notBlank, integer, words } = optionValues('npm run bench -- restore --help');

/** Of what follows `restore`: the options, or `help`; throws LocalRunError that names what is wrong and what is allowed. */
export function parseRestoreArguments(args: readonly string[]): RestoreBenchOptions | 'help' {
  const { values, positionals } = parse(args, {
    rounds: textOption,
    size: textOption,
    data: textOption,
    server: textOption,
    'apt-sources': textOption,
    seed: textOption,
    json: textOption,
    help: flagOption,
  });
  if (values.help) return 'help';
  if (positionals.length > 0) throw wrong(`"${positionals.join(' ')}" is no option of the benchmark of the restore`);
  return {
    rounds: integer('rounds', values.rounds, 1, 50) ?? 3,
    sizeMiB: integer('size', values.size, 1, 100_000) ?? 512,
    dataSets: words('data', values.data, dataSetNames) ?? [...dataSetNames],
    jsonFile: notBlank('json', values.json),
    serverMajor: integer('server', values.server, 16, 18),
    aptSources: notBlank('apt-sources', values['apt-sources']),
    seed: integer('seed', values.seed, 0, LARGEST_SEED) ?? randomSeed(),
  };
}
