// Databases to restore the rich source into, and stock client programs as superuser on the cluster of the tests.
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { RichSource } from './load-rich-source.ts';

export interface RestoredDatabase {
  readonly name: string;
  drop(): Promise<void>;
}

/** Folder of the programs, and the variables with which they reach the cluster as superuser. */
export function stockClient(): { clientDirectory: string; environment: Record<string, string> } {
  const { host, port, user, password, caFile, clientDirectory } = inject('cluster');
  const environment = {
    PATH: [clientDirectory, dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: caFile,
  };
  return { clientDirectory, environment };
}

/** An empty database made from template0, with what the source's extension would have made in it. */
export async function createRestoredDatabase(rich: RichSource): Promise<RestoredDatabase> {
  const name = `restored_${randomBytes(6).toString('hex')}`;
  await asSuperuser('postgres', async (client) => {
    await client.query(`create database ${name} template template0`);
  });
  await asSuperuser(name, async (client) => await rich.prepareRestore(client));
  return {
    name,
    drop: async () =>
      await asSuperuser('postgres', async (client) => {
        await client.query(`drop database ${name} with (force)`);
      }),
  };
}

async function asSuperuser(database: string, use: (client: Client) => Promise<void>): Promise<void> {
  const { host, port, user, password } = inject('cluster');
  // The certificate is checked by the programs; this connection is only to loopback.
  const client = new Client({ host, port, user, password, database, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}
