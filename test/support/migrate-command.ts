// Runs `npm run migrate` as a user does: a process of its own, without a terminal, on a database with the roles of Nightshift.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { expect } from 'vitest';
import type { OwnCluster } from '../database/own-cluster.ts';
import { compileCache } from './compile-cache.ts';

const script = fileURLToPath(new URL('../../local/migrate.ts', import.meta.url));

export interface MigrateEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface MigrateProcess {
  child: ChildProcess;
  ended: Promise<MigrateEnd>;
  /** Waits until stderr holds the text. */
  says(text: string): Promise<void>;
}

export interface MigrateWorld {
  dbname: string;
  /** A superuser on it. */
  client: Client;
  /** The folder with what writeFiles has written last. */
  folder: string;
  writeFiles(files: Readonly<Record<string, string | Uint8Array>>): void;
  start(args: readonly string[], environment?: Record<string, string>): MigrateProcess;
  run(args: readonly string[], environment?: Record<string, string>): Promise<MigrateEnd>;
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
  const children: ChildProcess[] = [];
  const { host, port, caFile } = cluster.place;

  const start: MigrateWorld['start'] = (args, environment = {}) => {
    const child = spawn(process.execPath, [script, ...args, '--folder', folder], {
      env: {
        ...compileCache,
        PATH: process.env['PATH'] ?? '',
        HOME: parent,
        DATABASE_URL: `postgres://nightshift_migrate@${host}:${port}/${dbname}`,
        PGPASSWORD: cluster.passwords.MIGRATE_SECRET_ARN,
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: caFile,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    const ended = new Promise<MigrateEnd>((resolve) => {
      child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }));
    });
    const says = async (text: string) => await expect.poll(() => stderr, { timeout: 20_000 }).toContain(text);
    return { child, ended, says };
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
      for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
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
