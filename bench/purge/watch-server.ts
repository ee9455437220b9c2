// What the server does while rows are deleted: how long its sessions wait for locks, and how much WAL it writes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { asSuperuser } from '../backup/data-sets.ts';
import type { PurgeWorld } from './purge-world.ts';

const SAMPLE_MS = 50;

export interface LockWatch {
  /** The longest wait that was seen, in ms; throws when it could not look. */
  stop(): Promise<number>;
}

/** Looks every 50 ms from now on. */
export function watchLocks(world: PurgeWorld): LockWatch {
  const stopped = new AbortController();
  const watching = asSuperuser(world, 'postgres', async (client) => {
    let longestMs = 0;
    while (!stopped.signal.aborted) {
      const { rows } = await client.query<{ ms: number | null }>(
        'select max(extract(epoch from clock_timestamp() - waitstart) * 1000)::float8 as ms from pg_locks where not granted',
      );
      longestMs = Math.max(longestMs, rows[0]?.ms ?? 0);
      await sleep(SAMPLE_MS);
    }
    return longestMs;
  });
  // Told at the end; until then it may not end the process.
  watching.catch(() => {});
  return {
    stop: async () => {
      stopped.abort();
      return await watching;
    },
  };
}

export interface WalPosition {
  atMs: number;
  bytes: number;
}

/** How much WAL the cluster has ever written. */
export async function readWal(client: Client): Promise<WalPosition> {
  const { rows } = await client.query<{ bytes: string }>(
    "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as bytes",
  );
  return { atMs: Date.now(), bytes: Number(rows[0]?.bytes) };
}

/** The WAL of the deletion alone, if the load writes as much per second from `from` to `to` as before. Never below 0. */
export function walOfDeletion(
  idleFrom: WalPosition,
  from: WalPosition,
  to: WalPosition,
): { walBytes: number; loadWalBytesPerSecond: number } {
  const loadPerMs = (from.bytes - idleFrom.bytes) / Math.max(1, from.atMs - idleFrom.atMs);
  const walBytes = Math.max(0, to.bytes - from.bytes - loadPerMs * (to.atMs - from.atMs));
  return { walBytes: Math.round(walBytes), loadWalBytesPerSecond: Math.round(loadPerMs * 1_000) };
}
