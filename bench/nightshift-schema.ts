// Schema nightshift in a throw-away database of a benchmark, as bootstrap would make it, but owned by the superuser.
import { systemClock } from '../functions/shared/clock.ts';
import { createDatabase, type Database } from '../functions/shared/database.ts';
import { productFolder, readMigrations } from '../functions/shared/migration-files.ts';
import { runMigrationScript } from '../functions/shared/migration-run.ts';
import { SecretText } from '../functions/shared/secret-text.ts';
import type { ThrowawayCluster } from '../local/postgres/throwaway-cluster.ts';

/** Makes the schema and applies the files of sql/nightshift in one transaction. */
export async function installNightshiftSchema(database: Database): Promise<void> {
  const own = await readMigrations(productFolder('nightshift'), false);
  await database.withTransaction(async (session) => {
    await session.query('reset search_path');
    await session.query('create schema nightshift');
    const { signal } = new AbortController();
    const run = {
      kind: 'nightshift',
      requestedBy: 'bench',
      requestId: 'bench',
      clock: systemClock,
      signal,
    } as const;
    for (const migration of own) {
      const outcome = await runMigrationScript(session, run, migration);
      if (!outcome.ok) throw outcome.failure;
    }
  });
}

/** The product's own access to a database, as the superuser; close it. */
export function openAsSuperuser(cluster: ThrowawayCluster, dbname: string): Database {
  const { host, port, superuser, caFile } = cluster;
  const credentials = { host, port, dbname, username: superuser.user, password: new SecretText(superuser.password) };
  return createDatabase({
    job: 'migrate',
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls: { mode: 'verify-full', caFile },
    limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
    maxConnections: 1,
    rowSecurity: 'off',
  });
}
