// Runs `npm run purge` as a user does: a process of its own, without a terminal, on a database with the roles of Nightshift.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { OwnCluster } from '../database/own-cluster.ts';
import { awsVariables, type CommandEnd, type CommandProcess, killCommands, startCommand } from './command-process.ts';
import { BUCKET } from './local-aws.ts';

export interface PurgeCommandWorld {
  dbname: string;
  folder: string;
  /** A superuser on it. */
  client: Client;
  start(args: readonly string[], environment?: Record<string, string>): CommandProcess;
  run(args: readonly string[], environment?: Record<string, string>): Promise<CommandEnd>;
  /** Logged in as the owner of the tables of purge. */
  asOwner: Record<string, string>;
  close(): Promise<void>;
}

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
  const started: CommandProcess[] = [];
  const { host, port, caFile } = cluster.place;
  const login = (role: string, password: string | undefined) => ({
    DATABASE_URL: `postgres://${role}@${host}:${port}/${dbname}`,
    PGPASSWORD: password ?? '',
  });

  const start: PurgeCommandWorld['start'] = (args, environment = {}) => {
    const process = startCommand('purge', args, {
      HOME: folder,
      ...awsVariables(),
      ...login('nightshift_purge', cluster.passwords['PURGE_SECRET_ARN']),
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: caFile,
      BACKUP_BUCKET: BUCKET,
      ...environment,
    });
    started.push(process);
    return process;
  };

  return {
    dbname,
    folder,
    client,
    start,
    run: async (args, environment) => await start(args, environment).ended,
    asOwner: login('nightshift_migrate', cluster.passwords['MIGRATE_SECRET_ARN']),
    close: async () => {
      await killCommands(started);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
