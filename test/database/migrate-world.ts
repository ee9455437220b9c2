// A database on which migrate has never run, a child process that runs migrate, and what is left of both after each test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { MigrateResult } from '../../functions/migrate/contract.ts';
import type { ChildArguments } from './migrate-in-a-child.ts';
import { filesOfTest } from './migration-files-of-test.ts';
import { type MigrateOptions, type OwnCluster, startOwnCluster } from './own-cluster.ts';

export interface MigrateWorld {
  readonly cluster: OwnCluster;
  readonly dbname: string;
  /** A session as superuser. */
  readonly client: Client;
  migrate(
    action: 'status' | 'up' | 'down' | 'repair',
    files: Record<string, string>,
    more?: Partial<MigrateOptions>,
  ): Promise<MigrateResult>;
  /** Runs up in a process of its own. */
  startChild(files: Record<string, string>): ChildProcess;
}

/** Sets it up with a new database for each test of the file, on a cluster with further lines of postgresql.conf. */
export function useMigrateWorld(settings: Record<string, string> = {}): MigrateWorld {
  let cluster: OwnCluster;
  let dbname: string;
  let client: Client;
  let children: ChildProcess[] = [];
  beforeAll(async () => {
    cluster = await startOwnCluster(settings);
  });
  beforeEach(async () => {
    dbname = await cluster.createDatabase();
    await cluster.bootstrap(dbname);
    client = await cluster.client(dbname);
    await client.query('grant create on schema public to nightshift_migrate');
  });
  afterEach(async () => {
    for (const child of children) await kill(child);
    children = [];
  });
  afterAll(async () => {
    await cluster.stop();
  });
  return {
    get cluster() {
      return cluster;
    },
    get dbname() {
      return dbname;
    },
    get client() {
      return client;
    },
    migrate: async (action, files, more = {}) => {
      const event = { action, ...(action === 'down' ? { confirmLoss: true } : {}) };
      return await cluster.migrate(dbname, event, { folder: filesOfTest(files), ...more });
    },
    startChild: (files) => {
      const { host, port, caFile } = cluster.place;
      const password = cluster.passwords.MIGRATE_SECRET_ARN;
      const script = fileURLToPath(new URL('migrate-in-a-child.ts', import.meta.url));
      const job = { host, port, caFile, dbname, password, files } satisfies ChildArguments;
      const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: 'ignore' });
      children.push(child);
      return child;
    },
  };
}

/** With -9; it is gone when this returns. One that has ended by itself will tell nobody any more. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
