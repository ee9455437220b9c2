// The options of `npm run bench -- purge`. Anything that does not fit is refused before something is started.
import { flagOption, LARGEST_SEED, optionValues, randomSeed, textOption } from '../option-values.ts';
import { type PurgeCase, purgeCaseNames, purgeCases } from './cases.ts';

export interface PurgeBenchOptions {
  rounds: number;
  /** Of the table that is purged. */
  rows: number;
  /** How many of them, the oldest, are past retention. */
  expired: number;
  /** How long the load runs before each purge, to be compared with. */
  idleSeconds: number;
  cases: PurgeCase[];
  /** Major of the server; the newest PostgreSQL of this machine without it. */
  serverMajor: number | undefined;
  /** Where the JSON goes; none without it. */
  jsonFile: string | undefined;
  seed: number;
}

const LEAST_ROWS = 1_000;
const MOST_ROWS = 100_000_000;

export const HELP_PURGE = `npm run bench -- purge [options]

Deletes the rows past retention of a large table with one DELETE and with the purge of Nightshift, side by side, while pgbench
works on the same table, and compares speed, WAL and what the application feels. Needs Linux and pgbench.

  --rounds N          runs of each case, 1 to 50 (default 3)
  --rows N            rows of the table, ${LEAST_ROWS} to ${MOST_ROWS} (default 10000000)
  --expired N         how many of them are past retention, 1 to half of --rows (default: a fifth of --rows)
  --idle SECONDS      of load before each purge, to compare with, 0.3 to 600 (default 15)
  --only LIST         of ${purgeCaseNames.join(',')},
                      or the beginning of such names, as "fk" (default: all)
  --server MAJOR      16, 17 or 18: that server instead of this machine's newest, fetched when it is not installed
  --seed N            order of the runs (default: random; it is printed and recorded)
  --json FILE         every single run, and what it ran on
  --help              this text

Exit codes: 0 all runs ended well, 1 a run failed, 2 wrong options or a machine that lacks something,
130 Ctrl-C. A target that is not met is no failure.`;

const { wrong, parse, notBlank, integer, numbers } = optionValues('npm run bench -- purge --help');

/** Of what follows `purge`: the options, or `help`; throws LocalRunError that names what is wrong and what is allowed. */
export function parsePurgeArguments(args: readonly string[]): PurgeBenchOptions | 'help' {
  const { values, positionals } = parse(args, {
    rounds: textOption,
    rows: textOption,
    expired: textOption,
    idle: textOption,
    only: textOption,
    server: textOption,
    seed: textOption,
    json: textOption,
    help: flagOption,
  });
  if (values.help) return 'help';
  if (positionals.length > 0) throw wrong(`"${positionals.join(' ')}" is no option of the benchmark of the purge`);
  const rows = integer('rows', values.rows, LEAST_ROWS, MOST_ROWS) ?? 10_000_000;
  return {
    rounds: integer('rounds', values.rounds, 1, 50) ?? 3,
    rows,
    expired: integer('expired', values.expired, 1, Math.floor(rows / 2)) ?? Math.floor(rows / 5),
    idleSeconds: oneNumber('idle', values.idle, 0.3, 600) ?? 15,
    cases: casesThatBeginWith(values.only),
    serverMajor: integer('server', values.server, 16, 18),
    jsonFile: notBlank('json', values.json),
    seed: integer('seed', values.seed, 0, LARGEST_SEED) ?? randomSeed(),
  };
}

function oneNumber(option: string, text: string | undefined, min: number, max: number): number | undefined {
  const [value, ...more] = numbers(option, text, min, max) ?? [];
  if (more.length > 0) throw wrong(`--${option} is "${text}"; it must be one number from ${min} to ${max}`);
  return value;
}

function casesThatBeginWith(text: string | undefined): PurgeCase[] {
  if (text === undefined) return [...purgeCases];
  const beginnings = text.split(',');
  const stranger = beginnings.find((item) => item === '' || !purgeCaseNames.some((name) => name.startsWith(item)));
  if (stranger !== undefined)
    throw wrong(`--only has "${stranger}"; allowed are ${purgeCaseNames.join(', ')}, or a beginning`);
  return purgeCases.filter(({ name }) => beginnings.some((item) => name.startsWith(item)));
}
