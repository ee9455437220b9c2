// Fills the throw-away cluster with the sample users; never called for a database of the user.
import { readFileSync } from 'node:fs';
import type { ThrowawayCluster } from '../postgres/throwaway-cluster.ts';
import { connectAsSuperuser, SAMPLE_DBNAME } from './night-world.ts';

/** Makes `users` users with their audit rows, the same ones every time. */
export async function loadSampleData(cluster: ThrowawayCluster, users: number, signal: AbortSignal): Promise<void> {
  const client = await connectAsSuperuser(cluster, SAMPLE_DBNAME);
  const stop = () => void client.end();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const sql = (name: string) => readFileSync(new URL(`../sample-data/${name}`, import.meta.url), 'utf8');
    await client.query(sql('users.sql'), [users]);
    await client.query(sql('user-changes.sql'));
    await client.query('analyze');
  } finally {
    signal.removeEventListener('abort', stop);
    await client.end();
  }
}
