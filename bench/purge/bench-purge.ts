// The benchmark of the purge: what it does, in order.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { CLUSTER_MIB, mustHaveFree } from '../backup/must-have-space.ts';
import { targetTable } from '../backup/tables.ts';
import { readMachineFacts } from '../machine-facts.ts';
import { interleave, seededRandom } from '../statistics.ts';
import type { PurgeCase } from './cases.ts';
import { HELP_PURGE, type PurgeBenchOptions, parsePurgeArguments } from './parse-purge-arguments.ts';
import { purgeTable } from './purge-table.ts';
import { openPurgeWorld, type PurgeWorld } from './purge-world.ts';
import { runPurgeCase } from './run-purge-case.ts';
import type { PurgeFigures, PurgeRecord } from './run-record.ts';
import { judgePurges, summarizePurges } from './summarize-purges.ts';

/** Of a row with its indexes, or of its child with its own; measured 180 and 140. */
const ROW_BYTES = 200;
/** The two templates, the database of the run, and what sorting for an index takes. */
const COPIES = 4;
/** WAL of filling a row and of the runs between two checkpoints, at most max_wal_size. */
const WAL_BYTES_PER_ROW = 500;
const MOST_WAL_MIB = 8_192;

/** Parses what follows `purge`, runs it and prints the tables; true when no run has failed. Nothing of it is left. */
export async function benchPurge(
  args: readonly string[],
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<boolean> {
  const options = parsePurgeArguments(args);
  if (options === 'help') {
    say(HELP_PURGE);
    return true;
  }
  const machine = readMachineFacts();
  say(
    `${machine.cores} cores, ${machine.processor}, ${machine.memoryGiB} GiB, node ${machine.node}, load ${machine.loadAtStart}; seed ${options.seed}`,
  );
  mustHaveFree(tmpdir(), neededMiB(options), 'give fewer --rows, or set TMPDIR to a larger disk');
  const kinds = new Set(options.cases.map(({ tables }) => tables));
  const world = await openPurgeWorld({ ...options, kinds }, signal, say);
  try {
    const records = await runAll(world, options, say);
    const summaries = summarizePurges(records);
    const targets = judgePurges(summaries);
    say(
      `\nPostgreSQL ${world.serverVersion}; medians, but for the longest wait and the slowest batch; latencies before > during the purge\n${purgeTable(summaries)}`,
    );
    say(`\nTargets\n${targetTable(targets, 'case')}`);
    if (options.jsonFile !== undefined) {
      const postgres = { version: world.serverVersion, settings: world.serverSettings };
      const report = { machine, options, postgres, runs: records, summaries, targets };
      writeFileSync(options.jsonFile, `${JSON.stringify(report, null, 1)}\n`);
    }
    return records.every(({ failure }) => failure === null);
  } finally {
    await world.close();
  }
}

/** Free space that the cluster may need at the same time. */
export function neededMiB({ rows }: Pick<PurgeBenchOptions, 'rows'>): number {
  const walMiB = Math.min(MOST_WAL_MIB, (rows * WAL_BYTES_PER_ROW) / 1_048_576);
  return Math.ceil(CLUSTER_MIB + (rows * ROW_BYTES * COPIES) / 1_048_576 + walMiB);
}

/** Every case once in each round. A run that fails is recorded, and the others go on. */
async function runAll(
  world: PurgeWorld,
  { cases, rounds, seed, idleSeconds }: PurgeBenchOptions,
  say: (words: string) => void,
): Promise<PurgeRecord[]> {
  const order = interleave<PurgeCase>(cases, rounds, seededRandom(seed));
  const records: PurgeRecord[] = [];
  for (const { round, item } of order) {
    const startedAt = new Date().toISOString();
    const about = { position: records.length + 1, round, ofCase: item.name, startedAt };
    const title = `${about.position}/${order.length} round ${round} ${item.name}`;
    try {
      const figures = await runPurgeCase(world, item, idleSeconds);
      records.push({ ...about, figures, failure: null });
      say(`${title}: ${describe(figures)}`);
    } catch (error) {
      world.signal.throwIfAborted();
      const failure = error instanceof Error ? error.message : String(error);
      records.push({ ...about, figures: null, failure });
      say(`${title}: FAILED: ${failure}`);
    }
  }
  return records;
}

function describe({ seconds, rowsPerSecond, live, expired }: PurgeFigures): string {
  const p99 = (latency: { p99Ms: number } | null) => latency?.p99Ms.toFixed(1) ?? '-';
  return `${seconds.toFixed(2)} s, ${rowsPerSecond.toFixed(0)} rows/s, live p99 ${p99(live.idle)} > ${p99(live.during)} ms, expired p99 ${p99(expired.during)} ms`;
}
