// Runs `npm run purge` as a user does: a process of its own, without a terminal, on a database with the roles of Nightshift.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { expect } from 'vitest';
import type { OwnCluster } from '../database/own-cluster.ts';
import { compileCache } from './compile-cache.ts';
import { BUCKET } from './local-aws.ts';

const script = fileURLToPath(new URL('../../local/purge.ts', import.meta.url));

export interface PurgeEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface PurgeProcess {
  child: ChildProcess;
  ended: Promise<PurgeEnd>;
  /** Waits until stderr holds the text. */
  says(text: string): Promise<void>;
}

export interface PurgeCommandWorld {
  dbname: string;
  folder: string;
  /** A superuser on it. */
  client: Client;
  start(args: readonly string[], environment?: Record<string, string>): PurgeProcess;
  run(args: readonly string[], environment?: Record<string, string>): Promise<PurgeEnd>;
  /** Logged in as the owner of the tables of purge. */
  asOwner: Record<string, string>;
  close(): Promise<void>;
}

/** What startLocalAws has set for this process. */
const awsVariables = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => name.startsWith('AWS_') && value !== undefined),
  ) as Record<string, string>;

/** A new database of the cluster, and 100 rows in app.event each a day older than the one before it, 40 of them past retention. */
export async function createPurgeCommandWorld(cluster: OwnCluster): Promise<PurgeCommandWorld> {
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const client = await cluster.client(dbname);
  await client.query(`
    create schema app;
    create table app.person (id bigint primary key, email text not null);
    create table app.event (
      id bigint generated always as identity primary key,
      person_id bigint references app.person (id),
      created_at timestamptz not null
    );
    create index on app.event (created_at);
    create index on app.event (person_id);
    insert into app.person values (7, 'ana@example.com');
    insert into app.event (created_at) select now() - make_interval(days => age) from generate_series(1, 100) as age;
    grant usage on schema app to nightshift_purge, nightshift_migrate;
    grant select, delete, update on app.event, app.person to nightshift_purge;
    insert into nightshift.retention_policy
      (name, schema_name, table_name, timestamp_column, retention, action, archive_before_delete, enabled, reason)
      values ('events', 'app', 'event', 'created_at', '60 days 12 hours', 'delete', false, true, 'a test')`);
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-purge-command-'));
  const children: ChildProcess[] = [];
  const { host, port, caFile } = cluster.place;
  const login = (role: string, password: string | undefined) => ({
    DATABASE_URL: `postgres://${role}@${host}:${port}/${dbname}`,
    PGPASSWORD: password ?? '',
  });

  const start: PurgeCommandWorld['start'] = (args, environment = {}) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: {
        ...compileCache,
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        ...awsVariables(),
        ...login('nightshift_purge', cluster.passwords['PURGE_SECRET_ARN']),
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: caFile,
        BACKUP_BUCKET: BUCKET,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const ended = new Promise<PurgeEnd>((resolve) => {
      child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
    });
    const says = async (text: string) => await expect.poll(() => stderr, { timeout: 20_000 }).toContain(text);
    return { child, ended, says };
  };

  return {
    dbname,
    folder,
    client,
    start,
    run: async (args, environment) => await start(args, environment).ended,
    asOwner: login('nightshift_migrate', cluster.passwords['MIGRATE_SECRET_ARN']),
    close: async () => {
      for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
