// The benchmark of lint: milliseconds per statement after warm-up, beside squawk on the same files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { lintMigrations } from '../../functions/migrate/lint/lint-migrations.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { LocalRunError } from '../../local/local-run-error.ts';
import { readMachineFacts } from '../machine-facts.ts';
import { flagOption, optionValues, textOption } from '../option-values.ts';
import { median, ratioOf } from '../statistics.ts';
import { type LintFile, largeCatalog, lintFiles } from './lint-files.ts';

export interface LintBenchOptions {
  rounds: number;
  /** At least. */
  statements: number;
  /** Of the catalog. */
  tables: number;
  jsonFile: string | undefined;
}

export const lintCases = ['parse', 'lint', 'lint with catalog', 'lint in a process', 'squawk in a process'] as const;
export type LintBenchCase = (typeof lintCases)[number];

export interface LintRun {
  readonly round: number;
  readonly case: LintBenchCase;
  readonly wallMs: number;
  readonly findings: number;
}

/** Milliseconds per statement: parse, and lint with the catalog, together. */
const TARGET_MS = 1;
const WARM_UPS = 2;

const HELP_LINT = `npm run bench -- lint [options]

Lints migrations made of the examples of docs/lint-rules.md, and runs squawk on the same files. Needs Linux.

  --rounds N       measured runs after ${WARM_UPS} that are not, 1 to 50 (default 5)
  --statements N   at least, 1000 to 40000 (default 4200)
  --tables N       in the live catalog, 0 to 20000 (default 2000)
  --json FILE      every single run, and what it ran on`;

const { wrong, parse, notBlank, integer } = optionValues('npm run bench -- lint --help');

/** Parses what follows `lint`, measures and prints the table; false when a run failed or nothing was found. */
export async function benchLint(
  args: readonly string[],
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const options = parseLintArguments(args);
  if (options === 'help') {
    say(HELP_LINT);
    return true;
  }
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}`,
  );
  const { files, statements } = await lintFiles(options.statements);
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-bench-lint-'));
  const runs: LintRun[] = [];
  try {
    writeFiles(folder, files);
    say(`${statements} statements in ${files.length / 2} migrations; ${options.tables} tables in the catalog`);
    for (let round = 1 - WARM_UPS; round <= options.rounds; round += 1) {
      signal.throwIfAborted();
      const measured = await measureRound(round, folder, files, options);
      if (round > 0) runs.push(...measured);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { table, perStatementMs } = summarizeLint(runs, statements);
  say(`\nMedians of ${options.rounds} rounds\n${table}`);
  say(
    `\n${perStatementMs <= TARGET_MS ? 'met' : 'NOT met'}: at most ${TARGET_MS} ms per statement, parsed and linted (${perStatementMs.toFixed(3)})`,
  );
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, statements, runs }, null, 1)}\n`);
  }
  return true;
}

/** The options, or `help`; throws LocalRunError that names what is wrong and what is allowed. */
export function parseLintArguments(args: readonly string[]): LintBenchOptions | 'help' {
  const options = {
    rounds: textOption,
    statements: textOption,
    tables: textOption,
    json: textOption,
    help: flagOption,
  };
  const { values, positionals } = parse(args, options);
  if (values.help) return 'help';
  if (positionals.length > 0) throw wrong(`"${positionals.join(' ')}" is no option`);
  return {
    rounds: integer('rounds', values.rounds, 1, 50) ?? 5,
    statements: integer('statements', values.statements, 1_000, 40_000) ?? 4_200,
    tables: integer('tables', values.tables, 0, 20_000) ?? 2_000,
    jsonFile: notBlank('json', values.json),
  };
}

function writeFiles(folder: string, files: readonly LintFile[]): void {
  for (const part of ['both', 'up']) mkdirSync(join(folder, part));
  for (const { name, text } of files) {
    writeFileSync(join(folder, 'both', name), text);
    if (name.endsWith('.up.sql')) writeFileSync(join(folder, 'up', name), text);
  }
}

async function measureRound(
  round: number,
  folder: string,
  files: readonly LintFile[],
  { tables }: LintBenchOptions,
): Promise<LintRun[]> {
  const texts = new Map(files.map(({ name, text }) => [name, text]));
  const inMemory = { name: 'migrations', list: () => [...texts.keys()], read: (name: string) => texts.get(name) ?? '' };
  const catalog = largeCatalog(tables);
  const started = performance.now();
  const migrations = await readMigrations(inMemory, true);
  const parsed = performance.now();
  const blind = lintMigrations(migrations, null);
  const linted = performance.now();
  const seeing = lintMigrations(migrations, catalog);
  const ended = performance.now();
  const run = (name: LintBenchCase, wallMs: number, findings: number): LintRun => ({
    round,
    case: name,
    wallMs,
    findings,
  });
  return [
    run('parse', parsed - started, 0),
    run('lint', linted - parsed, blind.length),
    run('lint with catalog', ended - linted, seeing.length),
    run(
      'lint in a process',
      ...inProcess(process.execPath, [join(import.meta.dirname, 'lint-process.ts'), join(folder, 'both')]),
    ),
    run(
      'squawk in a process',
      ...inProcess(squawkProgram(), ['--config', '/dev/null', '--reporter', 'json', join(folder, 'up', '*.sql')]),
    ),
  ];
}

/** Its own start script needs node as well; the program below it is what is compared. */
function squawkProgram(): string {
  return join(import.meta.dirname, '../../node_modules/.bin/squawk');
}

/** Wall time of a process that prints a JSON list, and how long the list is. */
function inProcess(program: string, args: readonly string[]): [wallMs: number, findings: number] {
  const started = performance.now();
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 268_435_456 });
  const wallMs = performance.now() - started;
  try {
    const found: unknown = JSON.parse(stdout);
    if (Array.isArray(found) && found.length > 0) return [wallMs, found.length];
  } catch {
    // What it has said instead is in the error below.
  }
  throw new LocalRunError(
    `${program} printed no findings: "${(stderr || stdout).slice(0, 300)}". Nothing was recorded`,
    'run npm ci; squawk must be installed for this platform',
  );
}

/** One line per case by the medians, and the milliseconds per statement that the target is about. */
export function summarizeLint(
  runs: readonly LintRun[],
  statements: number,
): { table: string; perStatementMs: number; ratio: number | undefined } {
  const wall = (name: LintBenchCase) => median(runs.filter((run) => run.case === name).map(({ wallMs }) => wallMs));
  const squawk = wall('squawk in a process');
  const table = new Table({
    head: ['case', 'ms', 'ms per statement', 'findings', 'of squawk'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const name of lintCases) {
    const findings = runs.find((run) => run.case === name)?.findings ?? 0;
    table.push([
      name,
      wall(name).toFixed(1),
      (wall(name) / statements).toFixed(4),
      findings,
      (ratioOf(wall(name), squawk) ?? Number.NaN).toFixed(2),
    ]);
  }
  return {
    table: table.toString(),
    perStatementMs: (wall('parse') + wall('lint with catalog')) / statements,
    ratio: ratioOf(wall('parse') + wall('lint with catalog'), squawk),
  };
}
