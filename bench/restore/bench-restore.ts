// The benchmark of the restore: what it does, in order.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { ARCHIVE_FACTOR, CLUSTER_MIB, mustHaveFree, TABLE_FACTOR } from '../backup/must-have-space.ts';
import { describeCommand } from '../backup/peer-commands.ts';
import { targetTable } from '../backup/tables.ts';
import { readMachineFacts } from '../machine-facts.ts';
import { interleave, seededRandom } from '../statistics.ts';
import { restoreCases, type StepName } from './cases.ts';
import { HELP_RESTORE, parseRestoreArguments, type RestoreBenchOptions } from './parse-restore-arguments.ts';
import { restoreCommand } from './restore-commands.ts';
import { restoreTable } from './restore-table.ts';
import { makeBackup, openRestoreWorld, type RestoreDataSet, type RestoreWorld } from './restore-world.ts';
import type { RestoreRecord } from './run-record.ts';
import { runRestoreCase } from './run-restore-case.ts';
import { judgeRestores, summarizeRestores } from './summarize-restores.ts';

const MIB = 1_048_576;
/** Written between two checkpoints: while the data sets are filled, which is more than one restore. */
const WAL_FACTOR = 1.5;

/** Parses what follows `restore`, runs it and prints the tables; true when no run has failed. Nothing of it is left. */
export async function benchRestore(
  args: readonly string[],
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const options = parseRestoreArguments(args);
  if (options === 'help') {
    say(HELP_RESTORE);
    return true;
  }
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}; seed ${options.seed}`,
  );
  mustHaveFree(tmpdir(), neededMiB(options), 'give --size or --data less to do, or set TMPDIR to a larger disk');
  const world = await openRestoreWorld(options, signal, say);
  try {
    const dataSets: RestoreDataSet[] = [];
    for (const name of options.dataSets) {
      const dataSet = await makeBackup(world, name, options.sizeMiB * MIB);
      say(
        `${name}: ${dataSet.rows.toLocaleString('en-US')} rows, ${(dataSet.copyBytes / MIB).toFixed(0)} MiB of COPY text, ${dataSet.built.indexes} indexes, ${dataSet.built.constraints} constraints; backup of ${(dataSet.archiveBytes / MIB).toFixed(0)} MiB in ${dataSet.ranges} ranges`,
      );
      dataSets.push(dataSet);
    }
    const records = await runAll(world, dataSets, options, say);
    const summaries = summarizeRestores(records);
    const targets = judgeRestores(summaries);
    say(
      `\nMedians of wall time and processor, highest memory; 10^6 bytes of COPY text per second. Ratios: to pg_restore -j2 of local files, and to download and pg_restore -j2\n${restoreTable(summaries)}`,
    );
    say(`\nTargets\n${targetTable(targets)}`);
    say(
      `\nCommands, by PGHOST, PGSSLMODE and so on (in the JSON) to the same server and role\n${commands(world, false).join('\n')}`,
    );
    if (options.jsonFile !== undefined) {
      const { serverVersion: version, serverSettings: settings, peers } = world;
      const postgres = { version, settings, clients: peers.clients.major };
      const report = {
        machine,
        options,
        postgres,
        dataSets,
        commands: commands(world, true),
        runs: records,
        summaries,
        targets,
      };
      writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 1)}\n`);
    }
    return records.every(({ failure }) => failure === null);
  } finally {
    await world.close();
  }
}

/** Each data set, its backup, and one restored and downloaded again. */
export function neededMiB({ sizeMiB, dataSets }: Pick<RestoreBenchOptions, 'sizeMiB' | 'dataSets'>): number {
  const perDataSet = TABLE_FACTOR + ARCHIVE_FACTOR + WAL_FACTOR;
  return Math.ceil(CLUSTER_MIB + sizeMiB * (dataSets.length + 1) * perDataSet);
}

/** Every case on every data set once in each round. A run that fails is recorded, and the others go on. */
async function runAll(
  world: RestoreWorld,
  dataSets: readonly RestoreDataSet[],
  { rounds, seed }: RestoreBenchOptions,
  say: (words: string) => void,
): Promise<RestoreRecord[]> {
  const pairs = dataSets.flatMap((dataSet) => restoreCases.map((restoreCase) => ({ dataSet, restoreCase })));
  const order = interleave(pairs, rounds, seededRandom(seed));
  const records: RestoreRecord[] = [];
  for (const { round, item } of order) {
    const { dataSet, restoreCase } = item;
    const about = {
      position: records.length + 1,
      round,
      dataSet: dataSet.name,
      copyBytes: dataSet.copyBytes,
      ofCase: restoreCase.name,
      startedAt: new Date().toISOString(),
    };
    const title = `${about.position}/${order.length} round ${round} ${dataSet.name} ${restoreCase.name}`;
    try {
      const steps = await runRestoreCase(world, dataSet, restoreCase);
      records.push({ ...about, steps, failure: null });
      say(`${title}: ${steps.map(({ name, wallSeconds }) => `${name} ${wallSeconds.toFixed(2)} s`).join(', ')}`);
    } catch (error) {
      world.signal.throwIfAborted();
      const failure = error instanceof Error ? error.message : String(error);
      records.push({ ...about, steps: null, failure });
      say(`${title}: FAILED: ${failure}`);
    }
  }
  return records;
}

/** What was run; words in capitals stand for what differs from run to run. */
function commands(world: RestoreWorld, withEnvironment: boolean): string[] {
  const place = { backupId: 'BACKUP', archiveFolder: 'ARCHIVE', s3: undefined };
  const steps: readonly StepName[] = ['pg_restore', 'vacuumdb', 'download', 'ours'];
  return steps.map(
    (step) => `  ${describeCommand({ ...restoreCommand(world, step, place), output: undefined }, withEnvironment)}`,
  );
}
