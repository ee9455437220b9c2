// The benchmark of the distributed backup: how much faster it is made by more workers when each has a network of its own.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { LocalRunError } from '../../local/local-run-error.ts';
import { readMachineFacts } from '../machine-facts.ts';
import { interleave, median, seededRandom, spreadOf } from '../statistics.ts';
import { runScaling, type ScalingRun } from './run-scaling.ts';
import { openScalingWorld } from './scaling-world.ts';

export interface ScalingOptions {
  rounds: number;
  /** MiB of the table. */
  sizeMiB: number;
  /** Of each connection to the database, 10^6 bytes per second. */
  megabytesPerSecond: number;
  workers: number[];
  seed: number;
  jsonFile: string | undefined;
}

/** Of the time with one worker, by eight. */
const TARGET = 6;
const LEAST_GROUPS = 16;

const HELP_SCALING = `npm run bench -- scaling [options]

Makes the distributed backup of one large table by the synthesized state machine, with 1, 2, 4 and 8 workers, each of whose
connections to PostgreSQL is limited, as the network of a Lambda is. Needs Linux.

  --rounds N          runs of each number of workers, 1 to 50 (default 3)
  --size MIB          of the table, a quarter of it rows, 64 to 100000 (default 2048)
  --rate MBPS         10^6 bytes per second of each connection, 1 to 1000 (default 6)
  --workers LIST      of 1 to 64 (default 1,2,4,8)
  --seed N            order of the runs (default: random; it is printed)
  --json FILE         every single run, and what it ran on`;

/** Parses what follows `scaling`, runs it and prints the tables; true unless a run failed, which throws. */
export async function benchScaling(
  args: readonly string[],
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const options = parseScalingArguments(args);
  if (options === 'help') {
    say(HELP_SCALING);
    return true;
  }
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}; seed ${options.seed}`,
  );
  const world = await openScalingWorld(
    { sizeMiB: options.sizeMiB, bytesPerSecond: options.megabytesPerSecond * 1e6 },
    signal,
    say,
  );
  const runs: ScalingRun[] = [];
  try {
    const plannedWorkers = Math.max(...options.workers);
    const order = interleave(options.workers, options.rounds, seededRandom(options.seed));
    for (const [number, { round, item: workers }] of order.entries()) {
      const run = await runScaling({ world, workers, round, plannedWorkers, number, signal });
      runs.push(run);
      say(
        `round ${round}, ${workers} workers: ${run.wallSeconds.toFixed(1)} s, ${cpuOf(run).toFixed(1)} s of processor, ${run.groups} groups`,
      );
    }
  } finally {
    await world.close();
  }
  const { table, speedup, groups } = summarizeScaling(runs);
  say(`\nMedians; whole run, plan and finish included\n${table}`);
  say(
    `\n${groups >= LEAST_GROUPS ? '' : `only ${groups} groups, which is too few for the target; `}${speedup === undefined ? 'not measured' : speedup >= TARGET ? 'met' : 'NOT met'}: at least ${TARGET} times as fast with 8 workers as with 1${speedup === undefined ? '' : ` (${speedup.toFixed(2)})`}`,
  );
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, runs }, null, 1)}\n`);
  }
  return true;
}

/** The options, or `help`; throws LocalRunError that names what is wrong and what is allowed. */
export function parseScalingArguments(args: readonly string[]): ScalingOptions | 'help' {
  const values = readOptions(args);
  if (values.help) return 'help';
  if (values.json?.trim() === '') throw wrong('--json is blank; it must name a file');
  const workers = (values.workers ?? '1,2,4,8').split(',').map((text) => integer('workers', text, 1, 64, 1));
  return {
    rounds: integer('rounds', values.rounds, 1, 50, 3),
    sizeMiB: integer('size', values.size, 64, 100_000, 2_048),
    megabytesPerSecond: integer('rate', values.rate, 1, 1_000, 6),
    workers: [...new Set(workers)].toSorted((a, b) => a - b),
    seed: integer('seed', values.seed, 0, 4_294_967_295, Math.floor(Math.random() * 4_294_967_296)),
    jsonFile: values.json,
  };
}

function readOptions(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: text,
        size: text,
        rate: text,
        workers: text,
        seed: text,
        json: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw wrong(error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error));
  }
}

function integer(option: string, text: string | undefined, min: number, max: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw wrong(`--${option} has "${text}"; it must be a whole number from ${min} to ${max}`);
}

function wrong(problem: string): LocalRunError {
  return new LocalRunError(`${problem}. Nothing was started`, 'npm run bench -- scaling --help lists the options');
}

function cpuOf({ cpuSeconds: { functions, server, store, proxy } }: ScalingRun): number {
  return functions + server + store + proxy;
}

/** One line per number of workers, and how much faster 8 are than 1 by the medians; undefined when one is missing. */
export function summarizeScaling(runs: readonly ScalingRun[]): {
  table: string;
  speedup: number | undefined;
  groups: number;
} {
  const table = new Table({
    head: [
      'workers',
      'wall s (min-max)',
      'times as fast',
      'plan s',
      'copy s',
      'finish s',
      'CPU s',
      'cores used',
      'archive MB',
    ],
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { compact: true, head: [], border: [] },
  });
  const wallOf = (workers: number) =>
    spreadOf(runs.filter((run) => run.workers === workers).map((run) => run.wallSeconds));
  const base = wallOf(1);
  for (const workers of [...new Set(runs.map((run) => run.workers))].toSorted((a, b) => a - b)) {
    const of = runs.filter((run) => run.workers === workers);
    const wall = wallOf(workers);
    const middle = (figure: (run: ScalingRun) => number, digits = 1) => median(of.map(figure)).toFixed(digits);
    table.push([
      String(workers),
      wall === undefined ? '-' : `${wall.median.toFixed(1)} (${wall.min.toFixed(1)}-${wall.max.toFixed(1)})`,
      base === undefined || wall === undefined ? '-' : (base.median / wall.median).toFixed(2),
      middle(({ planSeconds }) => planSeconds),
      middle(({ copySeconds }) => copySeconds),
      middle(({ finishSeconds }) => finishSeconds),
      middle(cpuOf),
      middle((run) => cpuOf(run) / run.wallSeconds, 2),
      middle(({ archiveBytes }) => archiveBytes / 1e6),
    ]);
  }
  const eight = wallOf(8);
  return {
    table: table.toString(),
    speedup: base && eight && base.median / eight.median,
    groups: Math.min(...runs.map((run) => run.groups)),
  };
}
