// Runs all cases on all data sets, round by round in random order, and keeps a record of every run.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { interleave } from '../statistics.ts';
import type { BenchWorld } from './bench-world.ts';
import { type BenchCase, describeCase } from './cases.ts';
import { asSuperuser, type DataSet } from './data-sets.ts';
import { runOurs } from './run-ours.ts';
import { runPeer } from './run-peer.ts';
import type { Outcome, RunRecord } from './run-record.ts';

/** A client has to be gone from the server before the next one is measured. */
const SESSIONS_GONE_MS = 60_000;

/**
 * Every case once in each round. A run that fails is recorded, and the others go on.
 *
 * In the last round what a case has left on a disk is read back by pg_restore; that time is not measured.
 */
export async function runCases(
  world: BenchWorld,
  dataSets: readonly DataSet[],
  cases: readonly BenchCase[],
  options: { rounds: number; random: () => number; say: (words: string) => void },
): Promise<RunRecord[]> {
  const pairs = dataSets.flatMap((dataSet) => cases.map((benchCase) => ({ dataSet, benchCase })));
  const order = interleave(pairs, options.rounds, options.random);
  const records: RunRecord[] = [];
  for (const { round, item } of order) {
    const { dataSet, benchCase } = item;
    const startedAt = new Date().toISOString();
    const about = {
      position: records.length + 1,
      round,
      dataSet: dataSet.name,
      variant: benchCase.variant.name,
      sink: benchCase.sink,
      latencyMs: benchCase.latencyMs,
      startedAt,
    };
    const title = `${about.position}/${order.length} round ${round} ${dataSet.name} ${describeCase(benchCase)}`;
    try {
      const outcome = await runCase(world, dataSet, benchCase, round === options.rounds);
      const copyMegabytesPerSecond = dataSet.copyBytes / 1e6 / outcome.wallSeconds;
      records.push({ ...about, outcome, copyMegabytesPerSecond, failure: null });
      options.say(
        `${title}: ${outcome.wallSeconds.toFixed(2)} s, ${copyMegabytesPerSecond.toFixed(0)} MB/s (${outcome.proof})`,
      );
    } catch (error) {
      world.signal.throwIfAborted();
      const failure = error instanceof Error ? error.message : String(error);
      records.push({ ...about, outcome: null, copyMegabytesPerSecond: null, failure });
      options.say(`${title}: FAILED: ${failure}`);
    }
  }
  return records;
}

/** One run in a folder of its own, which is removed; settles when its sessions are gone from the server. */
export async function runCase(
  world: BenchWorld,
  dataSet: DataSet,
  benchCase: BenchCase,
  readBack: boolean,
): Promise<Outcome> {
  const folder = join(benchCase.sink === 'disk' ? world.diskFolder : world.memoryFolder, 'run');
  mkdirSync(folder);
  try {
    const { variant } = benchCase;
    return variant.who === 'ours'
      ? await runOurs(world, dataSet, { ...benchCase, variant }, folder, readBack)
      : await runPeer(world, dataSet, { ...benchCase, variant }, folder, readBack);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    if (!world.signal.aborted) await sessionsGone(world);
  }
}

async function sessionsGone(world: BenchWorld): Promise<void> {
  await asSuperuser(world, 'postgres', async (client) => {
    const until = Date.now() + SESSIONS_GONE_MS;
    for (;;) {
      const { rows } = await client.query<{ n: number }>(
        'select count(*)::integer as n from pg_stat_activity where usename = $1',
        [world.role],
      );
      if (rows[0]?.n === 0) return;
      if (Date.now() > until)
        throw new Error(`${rows[0]?.n} sessions are left ${SESSIONS_GONE_MS / 1000} s after the run`);
      await sleep(50);
    }
  });
}
