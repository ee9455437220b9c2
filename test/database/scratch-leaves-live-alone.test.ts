import { dirname } from 'node:path';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { findDrift } from '../../functions/migrate/drift/find-drift.ts';
import { rehearseMigrations } from '../../functions/migrate/rehearse/rehearse-migrations.ts';
import type { ScratchContext } from '../../functions/migrate/scratch/scratch-server.ts';
import { verifyMigrations } from '../../functions/migrate/verify/verify-migrations.ts';
import { type Migration, productFolder, readMigrations } from '../../functions/shared/migration-files.ts';
import { catalogSnapshot } from './catalog-snapshot.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

const clientDirectories = dirname(inject('cluster').clientDirectory);
const limits = { lockTimeoutMs: 2_000, statementTimeoutMs: 60_000 };

async function pending(): Promise<Migration[]> {
  const files = {
    '0001_more.up.sql':
      'alter table app_schema.users add column more int not null default 1;\nalter table app_schema.users alter column more type bigint;\ncreate index concurrently by_more on app_schema.users (more);',
    '0001_more.down.sql': 'select 1;',
    '0002_gone.up.sql': 'drop table app_schema.users, app_schema.user_audit;',
    '0002_gone.down.sql': 'select 1;',
  };
  return await readMigrations(filesOfTest(files), true);
}

describe('a live database with the sample schema and rows', () => {
  let cluster: OwnCluster;
  let dbname: string;
  let client: Client;
  let migrations: Migration[];

  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    await cluster.migrate(dbname, { action: 'up' });
    client = await cluster.client(dbname);
    await client.query(
      "insert into app_schema.users (username, email, password_hash) values ('ada', 'ada@example.com', '$2b$12$' || repeat('x', 53))",
    );
    migrations = await readMigrations(productFolder('migrations'), true);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const figures = async () =>
    (
      await client.query(
        'select schemaname, relname, seq_scan, seq_tup_read, idx_scan, n_tup_ins, n_tup_upd, n_tup_del, n_live_tup from pg_stat_user_tables order by relid',
      )
    ).rows;

  test.each<[string, (context: ScratchContext) => Promise<unknown>]>([
    [
      'rehearsal',
      async (context) => {
        const result = await rehearseMigrations(context, { migrations: await pending(), clientDirectories });
        expect(result.files.map(({ problem }) => problem)).toEqual([null, null]);
      },
    ],
    ['certificates', async (context) => await verifyMigrations(context, { migrations })],
    ['drift', async (context) => await findDrift(context, { applied: migrations, limits })],
  ])('%s: its catalog, its statistics and the roles are as before', async (_name, run) => {
    // Statistics of the sessions before come a moment late.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const [catalog, statistics] = [await catalogSnapshot(client), await figures()];

    await withScratchRun(cluster, dbname, async ({ context }) => await run(context));

    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await figures()).toEqual(statistics);
    expect(await catalogSnapshot(client)).toEqual(catalog);
    expect(await scratchDatabases(cluster)).toEqual([]);
  });
});
