// A database of its own for verify without one: a throw-away PostgreSQL on which bootstrap has run, gone afterwards.
import { randomBytes, randomUUID } from 'node:crypto';
import { roleSecretSources } from '../../functions/bootstrap/role-secret-sources.ts';
import { runBootstrap } from '../../functions/bootstrap/run-bootstrap.ts';
import { type RoleSecretSetting, wantedRoles } from '../../functions/bootstrap/wanted-roles.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { Credentials } from '../../functions/shared/credentials.ts';
import { createDatabase, type Database } from '../../functions/shared/database.ts';
import { productFolder } from '../../functions/shared/migration-files.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import type { DatabaseUrl } from '../night/database-url.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../postgres/throwaway-cluster.ts';

const DBNAME = 'migrations';

export interface ThrowawayDatabase {
  /** Logs in as nightshift_migrate. */
  readonly url: DatabaseUrl;
  close(): Promise<void>;
}

/** Starts it; when something fails nothing of it is left. */
export async function openThrowawayDatabase(signal: AbortSignal): Promise<ThrowawayDatabase> {
  const cluster = await startThrowawayCluster();
  try {
    const password = await bootstrap(cluster, signal);
    const { host, port, caFile } = cluster;
    return {
      url: {
        host,
        port,
        dbname: DBNAME,
        username: wantedRoles.MIGRATE_SECRET_ARN.name,
        password,
        tls: { unsafe: undefined, caFile },
        tlsSentence: 'a throw-away server',
      },
      close: async () => await cluster.stop(),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** The password of nightshift_migrate. */
async function bootstrap(cluster: ThrowawayCluster, signal: AbortSignal): Promise<string> {
  const { host, port, caFile, superuser } = cluster;
  const place = { host, port, dbname: DBNAME };
  const administrator = (dbname: string): Database =>
    createDatabase({
      job: 'bootstrap',
      credentials: fixed({
        host,
        port,
        dbname,
        username: superuser.user,
        password: new SecretText(superuser.password),
      }),
      tls: { mode: 'verify-full', caFile },
      limits: { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 60_000 },
      maxConnections: 2,
      rowSecurity: 'off',
      signal,
    });
  const server = administrator('postgres');
  try {
    await server.withSession(
      async (session) => void (await session.query(`create database ${quoteIdentifier(DBNAME)}`)),
    );
  } finally {
    await server.close();
  }
  const settings = Object.keys(wantedRoles) as RoleSecretSetting[];
  const passwords = new Map<string, string>(
    settings.map((setting) => [setting, randomBytes(18).toString('base64url')]),
  );
  const named = Object.fromEntries(settings.map((setting) => [setting, setting])) as Record<RoleSecretSetting, string>;
  const database = administrator(DBNAME);
  try {
    await runBootstrap({
      runId: randomUUID(),
      log: { info: () => {}, warn: () => {}, error: () => {} },
      clock: systemClock,
      signal,
      event: { job: 'bootstrap', requestedBy: 'npm run migrate -- verify' },
      database,
      place,
      folder: productFolder('nightshift'),
      roleSecrets: roleSecretSources(named, (setting) => {
        const { name } = wantedRoles[setting as RoleSecretSetting];
        return fixed({ ...place, username: name, password: new SecretText(passwords.get(setting) ?? '') });
      }),
    });
  } finally {
    await database.close();
  }
  return passwords.get('MIGRATE_SECRET_ARN') ?? '';
}

function fixed(credentials: Credentials) {
  return { read: async () => credentials, refresh: async () => credentials };
}
