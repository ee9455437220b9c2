// The benchmark of migrate: many files by it and by psql, in one process each; and what its function weighs and costs to load.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { projectRoot } from '../../infra/function-bundle.ts';
import { bundleAsDeployed } from '../backup/bundle-handler.ts';
import { newTable } from '../backup/tables.ts';
import { readMachineFacts } from '../machine-facts.ts';
import { flagOption, LARGEST_SEED, optionValues, randomSeed, textOption } from '../option-values.ts';
import { interleave, median, ratioOf, seededRandom, spreadOf } from '../statistics.ts';
import { type MigrateBenchWorld, openMigrateBenchWorld } from './migrate-world.ts';

const run = promisify(execFile);
/** Of the time of psql, and of the zipped function. */
const TARGETS = { toPsql: 1.5, zippedBytes: 1_000_000 };
const CASES = ['psql', 'ours'] as const;

type Case = (typeof CASES)[number];

interface MigrateRun {
  round: number;
  what: Case;
  durable: boolean;
  seconds: number;
}

const HELP_MIGRATE = `npm run bench -- migrate [options]

Applies many migration files with Nightshift and with psql, each in one process, on a server whose commits wait for the disk and on
one whose commits do not; and tells the size and the load time of the function's bundle.

  --rounds N          runs of each case, 1 to 50 (default 3)
  --files N           migrations, 1 to 9999 (default 1000)
  --seed N            order of the runs (default: random; it is printed and recorded)
  --json FILE         every single run, and what it ran on
  --help              this text

psql runs every statement in a transaction of its own and keeps no record; Nightshift runs each file in one, with its record.
Exit codes: 0 all runs ended well, 1 a run failed, 2 wrong options, 130 Ctrl-C. A target that is not met is no failure.`;

const { parse, notBlank, integer } = optionValues('npm run bench -- migrate --help');

interface MigrateBenchOptions {
  rounds: number;
  files: number;
  seed: number;
  jsonFile: string | undefined;
}

/** The options, or `help`; throws LocalRunError that names what is wrong and what is allowed. */
export function parseMigrateArguments(args: readonly string[]): MigrateBenchOptions | 'help' {
  const { values } = parse(args, {
    rounds: textOption,
    files: textOption,
    seed: textOption,
    json: textOption,
    help: flagOption,
  });
  if (values.help) return 'help';
  return {
    rounds: integer('rounds', values.rounds, 1, 50) ?? 3,
    files: integer('files', values.files, 1, 9_999) ?? 1_000,
    seed: integer('seed', values.seed, 0, LARGEST_SEED) ?? randomSeed(),
    jsonFile: notBlank('json', values.json),
  };
}

/** Runs it and prints the tables; a run that fails throws. */
export async function benchMigrate(
  args: readonly string[],
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const options = parseMigrateArguments(args);
  if (options === 'help') {
    say(HELP_MIGRATE);
    return true;
  }
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}; seed ${options.seed}`,
  );
  const runs: MigrateRun[] = [];
  for (const durable of [true, false]) {
    const world = await openMigrateBenchWorld(options.files, durable);
    try {
      const bundle = join(world.scratch, 'bundle', 'index.mjs');
      mkdirSync(dirname(bundle), { recursive: true });
      await bundleAsDeployed('bench/migrate/migrate-process.ts', bundle);
      copyFileSync(
        join(projectRoot, 'node_modules/libpg-query/wasm/libpg-query.wasm'),
        join(dirname(bundle), 'libpg-query.wasm'),
      );
      await run('cp', ['-r', join(projectRoot, 'sql'), dirname(bundle)]);
      for (const { round, item: what } of interleave(CASES, options.rounds, seededRandom(options.seed))) {
        signal.throwIfAborted();
        const seconds = await runCase(world, what, { bundle, dbname: `bench_${what}_${round}`, signal });
        runs.push({ round, what, durable, seconds });
        say(`round ${round}, ${durable ? 'durable' : 'not durable'}, ${what}: ${seconds.toFixed(2)} s`);
      }
    } finally {
      await world.close();
    }
  }
  const weight = await weigh(options.rounds);
  say(`\n${options.files} files of 4 statements; medians\n${tableOf(runs)}`);
  say(
    `\nFunction: ${(weight.zippedBytes / 1000).toFixed(0)} kB zipped (index.mjs and the parser; target ${TARGETS.zippedBytes / 1000}: ${weight.zippedBytes <= TARGETS.zippedBytes ? 'met' : 'NOT met'}); cold import of the handler ${weight.importMs.toFixed(0)} ms, with the first statement parsed ${weight.parsedMs.toFixed(0)} ms (medians, Node's start not counted)`,
  );
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, runs, weight }, null, 1)}\n`);
  }
  return true;
}

async function runCase(
  world: MigrateBenchWorld,
  what: Case,
  { bundle, dbname, signal }: { bundle: string; dbname: string; signal: AbortSignal },
): Promise<number> {
  const { host, port, superuser, caFile, binaries } = world.cluster;
  await world.create(dbname);
  const place = {
    host,
    port,
    caFile,
    dbname,
    username: superuser.user,
    password: superuser.password,
    folder: world.files,
  };
  const connection = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: superuser.user,
    PGPASSWORD: superuser.password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: caFile,
  };
  const [program, args]: [string, string[]] =
    what === 'ours'
      ? [process.execPath, [bundle, JSON.stringify(place)]]
      : [
          join(binaries.directory, 'psql'),
          ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-d', dbname, ...world.upFiles.flatMap((file) => ['-f', file])],
        ];
  const from = performance.now();
  await run(program, args, { env: { ...process.env, ...connection }, signal, maxBuffer: 16 * 1_048_576 });
  const seconds = (performance.now() - from) / 1_000;
  const made = await world.tables(dbname);
  if (made !== world.upFiles.length) throw new Error(`${what} made ${made} of ${world.upFiles.length} tables`);
  await world.drop(dbname);
  return seconds;
}

/** The bundle as it is deployed: its size as a zip file has it, and how long Node takes to load it. */
async function weigh(rounds: number): Promise<{ zippedBytes: number; importMs: number; parsedMs: number }> {
  const world = join(projectRoot, 'node_modules', '.nightshift-bench');
  const handler = join(world, 'index.mjs');
  mkdirSync(world, { recursive: true });
  try {
    await bundleAsDeployed('functions/migrate/handler.ts', handler);
    const wasm = join(world, 'libpg-query.wasm');
    copyFileSync(join(projectRoot, 'node_modules/libpg-query/wasm/libpg-query.wasm'), wasm);
    const split = join(world, 'split.mjs');
    await bundleAsDeployed('functions/shared/migration-statements.ts', split);
    const zippedBytes = [handler, wasm].reduce(
      (sum, file) => sum + deflateRawSync(readFileSync(file), { level: 9 }).length,
      0,
    );
    const timed = async (code: string) => {
      const { stdout } = await run(process.execPath, [
        '--input-type=module',
        '-e',
        `const from = performance.now(); ${code}; console.log(performance.now() - from);`,
      ]);
      return Number(stdout);
    };
    const importMs: number[] = [];
    const parsedMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      importMs.push(await timed(`await import(${JSON.stringify(handler)})`));
      parsedMs.push(
        await timed(
          `await import(${JSON.stringify(handler)}); const { splitMigration } = await import(${JSON.stringify(split)}); await splitMigration('f.sql', 'select 1')`,
        ),
      );
    }
    return { zippedBytes, importMs: median(importMs), parsedMs: median(parsedMs) };
  } finally {
    await run('rm', ['-rf', world]);
  }
}

function tableOf(runs: readonly MigrateRun[]): string {
  const table = newTable(['commits', 'what', 'seconds (min-max)', 'to psql', 'target'], 2);
  for (const durable of [true, false]) {
    const secondsOf = (what: Case) =>
      runs.filter((one) => one.durable === durable && one.what === what).map(({ seconds }) => seconds);
    const psql = spreadOf(secondsOf('psql'));
    for (const what of CASES) {
      const spread = spreadOf(secondsOf(what));
      if (!spread) continue;
      const ratio = ratioOf(spread.median, psql?.median);
      table.push([
        durable ? 'wait for the disk' : 'do not wait',
        what,
        `${spread.median.toFixed(2)} (${spread.min.toFixed(2)}-${spread.max.toFixed(2)})`,
        ratio?.toFixed(2) ?? '-',
        what === 'ours'
          ? `${TARGETS.toPsql} x: ${ratio !== undefined && ratio <= TARGETS.toPsql ? 'met' : 'NOT met'}`
          : '',
      ]);
    }
  }
  return table.toString();
}
