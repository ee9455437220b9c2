// Runs `npm run migrate` as a user does: a process of its own, without a terminal, on a database with the roles of Nightshift.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { OwnCluster } from '../database/own-cluster.ts';
import { type CommandEnd, type CommandProcess, killCommands, startCommand } from './command-process.ts';

export interface MigrateWorld {
  dbname: string;
  /** A superuser on it. */
  client: Client;
  /** The folder with what writeFiles has written last. */
  folder: string;
  writeFiles(files: Readonly<Record<string, string | Uint8Array>>): void;
  start(args: readonly string[], environment?: Record<string, string>): CommandProcess;
  run(args: readonly string[], environment?: Record<string, string>): Promise<CommandEnd>;
  /** Numbers of the recorded migrations. */
  recorded(): Promise<number[]>;
  /** Ends what is still running. */
  close(): Promise<void>;
}

/** A new database of the cluster, where nightshift_migrate may create in schema public. */
export async function createMigrateWorld(cluster: OwnCluster): Promise<MigrateWorld> {
  const dbname = await cluster.createDatabase();
  await cluster.bootstrap(dbname);
  const client = await cluster.client(dbname);
  await client.query('grant create on schema public to nightshift_migrate');
  const parent = mkdtempSync(join(tmpdir(), 'nightshift-migrate-command-'));
  const folder = join(parent, 'm');
  const started: CommandProcess[] = [];
  const { host, port, caFile } = cluster.place;

  const start: MigrateWorld['start'] = (args, environment = {}) => {
    const process = startCommand('migrate', [...args, '--folder', folder], {
      HOME: parent,
      DATABASE_URL: `postgres://nightshift_migrate@${host}:${port}/${dbname}`,
      PGPASSWORD: cluster.passwords.MIGRATE_SECRET_ARN,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: caFile,
      ...environment,
    });
    started.push(process);
    return process;
  };

  return {
    dbname,
    client,
    folder,
    writeFiles: (files) => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    },
    start,
    run: async (args, environment) => await start(args, environment).ended,
    recorded: async () => {
      const { rows } = await client.query<{ number: number }>(
        "select number from nightshift.migration where kind = 'application' order by 1",
      );
      return rows.map(({ number }) => number);
    },
    close: async () => {
      await killCommands(started);
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

/** Waits until a statement like this one is at work on the server. */
export async function untilAtWork(client: Client, pattern: string): Promise<number> {
  for (;;) {
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where query ilike $1 and state = 'active' and pid <> pg_backend_pid()",
      [pattern],
    );
    if (rows[0]) return rows[0].pid;
    await sleep(50);
  }
}
