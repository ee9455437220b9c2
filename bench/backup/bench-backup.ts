// The benchmark of the backup: what it does, in order.
import { writeFileSync } from 'node:fs';
import { LocalRunError } from '../../local/local-run-error.ts';
import { readMachineFacts } from '../machine-facts.ts';
import type { BackupBenchOptions } from '../parse-arguments.ts';
import { seededRandom } from '../statistics.ts';
import { type BenchWorld, openBenchWorld } from './bench-world.ts';
import { type BenchCase, chooseCases } from './cases.ts';
import { type DataSet, makeDataSet } from './data-sets.ts';
import { type GrowthRow, measureGrowth } from './growth.ts';
import { mustHaveSpace } from './must-have-space.ts';
import { describeCommand, peerCommand } from './peer-commands.ts';
import { runCases } from './run-cases.ts';
import { type CaseSummary, summarize } from './summarize.ts';
import { growthTable, summaryTable, targetTable } from './tables.ts';
import { judgeTargets, type Target } from './targets.ts';

const MIB = 1_048_576;

/** Runs it and prints the tables; true when no run has failed. Nothing that it starts or makes is left. */
export async function benchBackup(
  options: BackupBenchOptions,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}; seed ${options.seed}`,
  );
  mustHaveSpace(options);
  const world = await openBenchWorld(options, signal, say);
  try {
    const cases = chooseCases({ ...options, serverMajor: world.cluster.binaries.major });
    if (cases.length === 0) {
      throw new LocalRunError(
        `no case is left for PostgreSQL ${world.cluster.binaries.major} with these options. No benchmark was run`,
        'zstd needs --server 16 or newer; psql-copy needs --sink discard',
      );
    }
    const dataSets = options.rounds === 0 ? [] : await makeDataSets(world, options, say);
    const { rounds, seed } = options;
    const records = await runCases(world, dataSets, cases, { rounds, random: seededRandom(seed), say });
    const summaries = summarize(records);
    const growth = await measureGrowth(world, options.growthGiB, growthCases(cases), say);
    const targets = judgeTargets(summaries, growth);
    const commandsOfAll = (withEnvironment: boolean) =>
      dataSets.flatMap((dataSet) => commandsOf(world, dataSet, cases, withEnvironment));
    print({ summaries, growth, targets, commands: [...new Set(commandsOfAll(false))] }, say);
    if (options.jsonFile !== undefined) {
      const postgres = {
        version: world.serverVersion,
        settings: world.serverSettings,
        clients: world.peers.clients.major,
      };
      const report = {
        machine,
        options,
        postgres,
        dataSets,
        commands: commandsOfAll(true),
        runs: records,
        summaries,
        growth,
        targets,
      };
      writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 1)}\n`);
    }
    return records.every(({ failure }) => failure === null);
  } finally {
    await world.close();
  }
}

async function makeDataSets(
  world: BenchWorld,
  options: BackupBenchOptions,
  say: (words: string) => void,
): Promise<DataSet[]> {
  const dataSets: DataSet[] = [];
  for (const name of options.dataSets) {
    const dataSet = await makeDataSet(world, name, name, options.sizeMiB * MIB);
    say(
      `${name}: ${dataSet.rows.toLocaleString('en-US')} rows, ${(dataSet.copyBytes / MIB).toFixed(0)} MiB of COPY text, ${(dataSet.tableBytes / MIB).toFixed(0)} MiB of tables`,
    );
    dataSets.push(dataSet);
  }
  return dataSets;
}

/** Of ours, without added latency, and each variant once: with the fewest cases that show the memory. */
function growthCases(cases: readonly BenchCase[]): BenchCase[] {
  const ours = cases.filter(({ variant }) => variant.who === 'ours');
  return [...new Map(ours.map(({ variant }) => [variant.name, variant])).values()]
    .filter(({ name }) => name.endsWith('-w2') || ours.every(({ variant }) => !variant.name.endsWith('-w2')))
    .map((variant) => ({ variant, sink: 'discard', latencyMs: 0 }));
}

/** What the peers ran; `FOLDER` stands for the folder of the run, in memory (discard) or on disk. */
function commandsOf(
  world: BenchWorld,
  dataSet: DataSet,
  cases: readonly BenchCase[],
  withEnvironment: boolean,
): string[] {
  return cases.flatMap(({ variant, sink }) => {
    if (variant.who === 'ours') return [];
    const command = peerCommand(world.peers, variant, sink, dataSet, `FOLDER-${sink}`);
    return [describeCommand(command, withEnvironment)];
  });
}

function print(
  results: { summaries: CaseSummary[]; growth: GrowthRow[]; targets: Target[]; commands: string[] },
  say: (words: string) => void,
): void {
  const { summaries, growth, targets, commands } = results;
  if (summaries.length > 0) {
    say(
      `\nMedians of wall time and processor, highest memory; 10^6 bytes of COPY text per second\n${summaryTable(summaries)}`,
    );
  }
  if (growth.length > 0) say(`\nMemory over size\n${growthTable(growth)}`);
  say(`\nTargets\n${targetTable(targets)}`);
  if (commands.length > 0)
    say(
      `\nCommands of the peers, by PGHOST, PGSSLMODE and so on (in the JSON) to the same server and role\n${commands.map((command) => `  ${command}`).join('\n')}`,
    );
}
