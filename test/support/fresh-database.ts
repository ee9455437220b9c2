// One database of its own per test file on the cluster of the project; dropped at the end, with a check for leaked sessions.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { CredentialSource, Credentials } from '../../functions/shared/credentials.ts';
import {
  createDatabase,
  type Database,
  type DatabaseTls,
  type SessionLimits,
} from '../../functions/shared/database.ts';
import type { JobName } from '../../functions/shared/jobs.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';

export interface FreshDatabase {
  readonly name: string;
  readonly tls: DatabaseTls;
  /** A session as superuser, opened on first use. */
  query: Client['query'];
  /** A client that the test opens and closes itself. */
  client(login?: { user: string; password: string; database?: string }): Promise<Client>;
  credentials(login?: { user: string; password: string }): Credentials;
  /** The product's own access to this database, as superuser or the given login. */
  database(job: JobName, login?: { user: string; password: string }, limits?: Partial<SessionLimits>): Database;
  /** Drops the database; throws when the code under test left sessions behind. */
  drop(): Promise<void>;
}

/** Makes an empty database with a random name. */
export async function createFreshDatabase(): Promise<FreshDatabase> {
  const { host, port, user, password, caFile } = inject('cluster');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const tls: DatabaseTls = { mode: 'verify-full', caFile };
  const opened: Client[] = [];
  const connect = async (login: { user: string; password: string; database?: string }): Promise<Client> => {
    const ssl = { ca: readFileSync(caFile, 'utf8'), host };
    const client = new Client({
      host,
      port,
      database: login.database ?? name,
      ...login,
      ssl,
      application_name: 'test',
    });
    client.on('error', () => {});
    await client.connect();
    opened.push(client);
    return client;
  };
  const administrator = await connect({ user, password, database: 'postgres' });
  await administrator.query(`create database ${quoteIdentifier(name)}`);
  const superuser = await connect({ user, password });
  const databases: Database[] = [];
  const credentials = (login = { user, password }): Credentials => ({
    host,
    port,
    dbname: name,
    username: login.user,
    password: new SecretText(login.password),
  });
  return {
    name,
    tls,
    query: superuser.query.bind(superuser),
    client: async (login = { user, password }) => await connect(login),
    credentials,
    database: (job, login, limits = {}) => {
      const database = createDatabase({
        job,
        credentials: fixedCredentials(credentials(login)),
        tls,
        limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000, ...limits },
        maxConnections: 4,
        rowSecurity: 'off',
      });
      databases.push(database);
      return database;
    },
    drop: async () => {
      for (const database of databases) await database.close();
      // The server ends a session a moment after its client has closed it.
      let left = await leftSessions(administrator, name);
      for (let waited = 0; waited < 40 && left.length > 0; waited += 1) {
        await sleep(50);
        left = await leftSessions(administrator, name);
      }
      for (const client of opened.filter((one) => one !== administrator)) await client.end().catch(() => {});
      await administrator.query(`drop database ${quoteIdentifier(name)} with (force)`);
      await administrator.end();
      if (left.length > 0) throw new Error(`sessions were left open: ${JSON.stringify(left)}`);
    },
  };
}

async function leftSessions(administrator: Client, name: string): Promise<unknown[]> {
  const { rows } = await administrator.query(
    "select application_name, query from pg_stat_activity where datname = $1 and application_name like 'nightshift/%'",
    [name],
  );
  return rows;
}

/** Credentials that never change, for tests that are not about rotation. */
export function fixedCredentials(credentials: Credentials): CredentialSource {
  return { read: async () => credentials, refresh: async () => credentials };
}
