// A run of drop_partition whose process is killed with -9 before or during any of its statements: the next runs end as if nothing had
// been, every row is archived once, and no partition that is not past retention is touched.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChildArguments } from '../database/drop-partitions-in-a-child.ts';
import { archiveForTest, CUTOFF, createPartitionWorld, type PartitionWorld } from '../database/partition-world.ts';
import { rounds } from '../support/test-size.ts';

const CHILD = fileURLToPath(new URL('../database/drop-partitions-in-a-child.ts', import.meta.url));

let world: PartitionWorld;
beforeAll(async () => {
  world = await createPartitionWorld();
});
afterAll(async () => await world.cluster.stop());

/** Undefined when it was killed, else how many statements it ran. */
async function runChild(killAt: number, when: ChildArguments['when']): Promise<number | undefined> {
  const request: ChildArguments = {
    ...world.cluster.place,
    ...world.login,
    dbname: world.dbname,
    cutoff: CUTOFF,
    killAt,
    when,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal])),
  );
  if (signal === 'SIGKILL') return undefined;
  expect(code).toBe(0);
  return Number(said);
}

/** Until nothing is in the way: the session of the killed process lives for up to 2 s in its statement. */
async function runToEnd(): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    const { pause } = await world.drop({ archives: true, archive: archiveForTest });
    if (pause === undefined) return;
    expect(performance.now()).toBeLessThan(until);
    await sleep(100);
  }
}

describe.each([
  ['that detaches concurrently', ''],
  ['beside a DEFAULT partition', 'create table app.p_default partition of app.event default'],
])('a run %s is killed', (_, sql) => {
  test.each(['before', 'during'] as const)(
    '%s any statement: the next runs end in the same',
    { timeout: 300_000 },
    async (when) => {
      const prepare = async () => {
        await world.reset();
        await world.admin.query(
          `set role app_owner; ${sql}; reset role; grant insert on app.archived to nightshift_purge`,
        );
      };
      await prepare();
      const statements = (await runChild(0, when)) ?? 0;
      const killed: number[] = [];

      for (let round = 0; round < rounds; round += 1) {
        // Spread over the whole run, another place in each part of it every time.
        const killAt = 1 + Math.floor(((round + Math.random()) * statements) / rounds);
        await prepare();
        if ((await runChild(killAt, when)) === undefined) killed.push(killAt);
        await runToEnd();

        const { rows } = await world.admin.query(
          'select name, count(*)::int as rows, count(distinct id)::int as ids from app.archived group by name order by name',
        );
        const tables = await world.tables();
        const records = (await world.records()).toSorted();
        // With the place of the kill, for whoever reads of a failure.
        expect({ killAt, rows, tables, records }).toEqual({
          killAt,
          rows: [
            { name: 'p2023', rows: 100, ids: 100 },
            { name: 'p2024', rows: 100, ids: 100 },
          ],
          tables: ['p2025', 'p2026'],
          records: ['p2023 dropped 100', 'p2024 dropped 100'],
        });
      }

      expect(statements).toBeGreaterThan(30);
      // During the last statements the process can come to its end before it dies.
      expect(killed.length).toBeGreaterThanOrEqual(Math.floor(rounds / 2));
    },
  );
});
