// What the tests of rehearsal, certificate and drift share: the context of a run as nightshift_migrate, with its log.
import type { ScratchContext } from '../../functions/migrate/scratch/scratch-server.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { type OwnCluster, roleLogin } from './own-cluster.ts';

export interface ScratchRun {
  context: ScratchContext;
  /** Names of the events that were logged. */
  logged: string[];
}

/** Runs `use` with sessions of nightshift_migrate in the live database; they end with it. */
export async function withScratchRun<T>(
  cluster: OwnCluster,
  dbname: string,
  use: (run: ScratchRun) => Promise<T>,
  more: Partial<ScratchContext> = {},
): Promise<T> {
  const database = cluster.database('migrate', dbname, roleLogin(cluster, 'MIGRATE_SECRET_ARN'));
  const logged: string[] = [];
  const note = (name: string) => void logged.push(name);
  try {
    const context: ScratchContext = {
      database,
      runId: 'test-run',
      log: { info: note, warn: note, error: note },
      clock: systemClock,
      signal: new AbortController().signal,
      ...more,
    };
    return await use({ context, logged });
  } finally {
    await database.close();
  }
}

/** Scratch databases that are there now. */
export async function scratchDatabases(cluster: OwnCluster): Promise<string[]> {
  const client = await cluster.client('postgres');
  const { rows } = await client.query<{ name: string }>(
    "select datname as name from pg_database where datname like 'nightshift\\_scratch\\_%' order by 1",
  );
  await client.end();
  return rows.map(({ name }) => name);
}
