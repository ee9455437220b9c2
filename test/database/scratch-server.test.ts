import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withScratchServer } from '../../functions/migrate/scratch/scratch-server.ts';
import { verifyMigrations } from '../../functions/migrate/verify/verify-migrations.ts';
import { readMigrations } from '../../functions/shared/migration-files.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type OwnCluster, startOwnCluster } from './own-cluster.ts';
import { scratchDatabases, withScratchRun } from './scratch-of-test.ts';

const slow = {
  '0001_slow.up.sql': "select nightshift.create_group_role('killed_reader');\nselect pg_sleep(60);\n",
  '0001_slow.down.sql': "select nightshift.drop_group_role('killed_reader');\n",
};

describe('withScratchServer', () => {
  let cluster: OwnCluster;
  let dbname: string;
  beforeAll(async () => {
    cluster = await startOwnCluster();
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const until = async (isTrue: () => Promise<boolean>) => {
    while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const hasRole = async () => {
    const client = await cluster.client('postgres');
    const { rowCount } = await client.query("select from pg_roles where rolname = 'killed_reader'");
    await client.end();
    return rowCount === 1;
  };

  test('the run is aborted within a statement: the scratch database and its role are gone, and the reason is told', async () => {
    const stop = new AbortController();
    const migrations = await readMigrations(filesOfTest(slow), true);
    const running = withScratchRun(
      cluster,
      dbname,
      async ({ context }) => await verifyMigrations(context, { migrations }),
      { signal: stop.signal },
    );
    const end = running.catch((error: unknown) => error);
    await until(hasRole);

    stop.abort(new Error('out of time'));
    expect(await end).toMatchObject({ message: 'out of time' });

    expect(await scratchDatabases(cluster)).toEqual([]);
    expect(await hasRole()).toBe(false);
  });

  test('the process is killed: the next run sweeps its database and its role', async () => {
    const password = cluster.passwords.MIGRATE_SECRET_ARN;
    const given = JSON.stringify({ ...cluster.place, dbname, password, files: slow });
    const child = spawn(process.execPath, [join(import.meta.dirname, 'verify-in-a-child.ts'), given], {
      stdio: 'inherit',
    });
    await until(hasRole);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const left = await scratchDatabases(cluster);
    expect(left).toHaveLength(1);

    let during: string[] = [];
    const logged = await withScratchRun(cluster, dbname, async (run) => {
      // The server notices within a moment that the session with the lock is gone.
      await until(async () => {
        try {
          await withScratchServer(run.context, async () => {
            during = await scratchDatabases(cluster);
          });
          return true;
        } catch {
          return false;
        }
      });
      return run.logged;
    });

    expect(during).toEqual([]);
    expect(logged).toContain('migrate.leftover_dropped');
    expect(await hasRole()).toBe(false);
  });

  test('another run is at work: job.locked, and its scratch database stays', async () => {
    await withScratchRun(cluster, dbname, async ({ context }) => {
      await withScratchServer(context, async (server) => {
        await server.create();
        const made = await scratchDatabases(cluster);
        await withScratchRun(cluster, dbname, async (other) => {
          await expect(withScratchServer(other.context, async () => {})).rejects.toMatchObject({ code: 'job.locked' });
        });
        expect(await scratchDatabases(cluster)).toEqual(made);
        expect(made).toHaveLength(1);
      });
    });
  });

  test('databases of others, also with such a name: never swept', async () => {
    const client = await cluster.client('postgres');
    await client.query('create database nightshift_scratch_20200101t000000z_00000000');
    await client.query('create database nightshift_scratch_mine owner nightshift_migrate');

    await withScratchRun(cluster, dbname, async ({ context }) => await withScratchServer(context, async () => {}));

    expect(await scratchDatabases(cluster)).toEqual([
      'nightshift_scratch_20200101t000000z_00000000',
      'nightshift_scratch_mine',
    ]);
    await client.query('drop database nightshift_scratch_20200101t000000z_00000000');
    await client.query('drop database nightshift_scratch_mine');
  });

  test('the role may not make databases: migrate.scratch_failed with the next step', async () => {
    const client = await cluster.client('postgres');
    await client.query('alter role nightshift_migrate nocreatedb');

    await expect(
      withScratchRun(cluster, dbname, async ({ context }) => {
        await withScratchServer(context, async (server) => await server.create());
      }),
    ).rejects.toMatchObject({ code: 'migrate.scratch_failed', hint: expect.stringContaining('run bootstrap again') });

    await client.query('alter role nightshift_migrate createdb');
  });

  test('settings and encoding of the live database: the scratch database has them', async () => {
    const client = await cluster.client(dbname);
    await client.query(`alter database ${dbname} set search_path = shop, "Odd, name"`);

    const seen = await withScratchRun(
      cluster,
      dbname,
      async ({ context }) =>
        await withScratchServer(context, async (server) => {
          const scratch = await server.create();
          return await scratch.database.withSession(async (session) => {
            await session.query('reset search_path');
            return (await session.query('show search_path')).rows;
          });
        }),
    );

    expect(seen).toEqual([{ search_path: 'shop, "Odd, name"' }]);
    await client.query(`alter database ${dbname} reset search_path`);
  });
});
