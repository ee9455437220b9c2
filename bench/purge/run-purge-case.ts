// One run of a case: a fresh database, the load alone, the deletion under the same load, and the proof of what is left.
import { setTimeout as sleep } from 'node:timers/promises';
import { asSuperuser } from '../backup/data-sets.ts';
import type { PurgeCase } from './cases.ts';
import { deleteNaively, purge } from './delete-rows.ts';
import { latenciesOf } from './pgbench-log.ts';
import { provePurge } from './prove-purge.ts';
import { DATABASE, type PurgeWorld } from './purge-world.ts';
import type { Deletion, PurgeFigures } from './run-record.ts';
import { startLoad } from './start-load.ts';
import { readWal, walOfDeletion, watchLocks } from './watch-server.ts';

/** Of the load before it is looked at: its sessions plan their statements and fill their caches. */
const WARM_UP_SHARE = 0.2;

/** Runs it; throws when a step fails or other rows than those past retention are gone. */
export async function runPurgeCase(
  world: PurgeWorld,
  purgeCase: PurgeCase,
  idleSeconds: number,
): Promise<PurgeFigures> {
  const { signal } = world;
  await world.renew(purgeCase.tables);
  const load = await startLoad(world, purgeCase);
  try {
    return await asSuperuser(world, DATABASE, async (client) => {
      await sleep(idleSeconds * WARM_UP_SHARE * 1_000, undefined, { signal });
      const idleFrom = await readWal(client);
      await sleep(idleSeconds * 1_000, undefined, { signal });
      const from = await readWal(client);
      const locks = watchLocks(world);
      const deletion = purgeCase.snapshot
        ? await withSnapshot(world, async () => await deleteRows(world, purgeCase))
        : await deleteRows(world, purgeCase);
      const to = await readWal(client);
      const longestLockWaitMs = await locks.stop();
      await load.drain(deletion.toMs);
      const { live, expired } = await load.stop();
      await provePurge(client, world, purgeCase.tables);
      const { fromMs: purgeFromMs, toMs: purgeToMs } = deletion;
      const phases = { idleFromMs: idleFrom.atMs, idleToMs: from.atMs, purgeFromMs, purgeToMs };
      const seconds = (purgeToMs - purgeFromMs) / 1_000;
      return {
        ...deletion,
        seconds,
        rowsPerSecond: world.expired / seconds,
        ...walOfDeletion(idleFrom, from, to),
        live: latenciesOf(live, phases),
        expired: latenciesOf(expired, phases),
        longestLockWaitMs,
      };
    });
  } finally {
    load.kill();
  }
}

async function deleteRows({ purger, signal }: PurgeWorld, { deletes }: PurgeCase): Promise<Deletion> {
  return deletes === 'naive' ? await deleteNaively(purger, signal) : await purge(purger, signal);
}

/** As somebody's forgotten session does it: it has read something, and nothing after that may be cleaned up. */
async function withSnapshot<T>(world: PurgeWorld, use: () => Promise<T>): Promise<T> {
  return await asSuperuser(world, DATABASE, async (client) => {
    await client.query('begin isolation level repeatable read');
    await client.query('select count(*) from nightshift.retention_policy');
    return await use();
  });
}
