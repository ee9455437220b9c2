// A cluster per test file for tests that make the roles of Nightshift: roles belong to the whole cluster, so in the
// shared one two files would fight over them. Everything in it goes with the cluster.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { type BootstrapResult, bootstrapResultSchema } from '../../functions/bootstrap/contract.ts';
import { runBootstrap } from '../../functions/bootstrap/run-bootstrap.ts';
import { type RoleSecretSetting, wantedRoles } from '../../functions/bootstrap/wanted-roles.ts';
import { type MigrateEvent, type MigrateResult, migrateResultSchema } from '../../functions/migrate/contract.ts';
import { runMigrate } from '../../functions/migrate/run-migrate.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { Credentials } from '../../functions/shared/credentials.ts';
import { createDatabase, type Database } from '../../functions/shared/database.ts';
import type { JobName } from '../../functions/shared/jobs.ts';
import { type MigrationFolder, productFolder } from '../../functions/shared/migration-files.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { startThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';

export interface Login {
  user: string;
  password: string;
}

export interface OwnCluster {
  readonly major: number;
  readonly folder: string;
  readonly place: { host: string; port: number; caFile: string };
  readonly superuser: Login;
  /** Passwords that the role secrets hold; a test rotates one by changing it. */
  readonly passwords: Record<RoleSecretSetting, string>;
  createDatabase(): Promise<string>;
  client(dbname: string, login?: Login): Promise<Client>;
  database(job: JobName, dbname: string, login: Login, more?: { lockTimeoutMs?: number }): Database;
  bootstrap(dbname: string, more?: Partial<BootstrapOptions>): Promise<BootstrapResult>;
  migrate(dbname: string, event: Partial<MigrateEvent>, more?: Partial<MigrateOptions>): Promise<MigrateResult>;
  stop(): Promise<void>;
}

interface BootstrapOptions {
  admin: Login;
  dryRun: boolean;
  requestedBy: string;
  folder: MigrationFolder;
  secrets: Partial<Record<RoleSecretSetting, Partial<Credentials>>>;
}

export interface MigrateOptions {
  login: Login;
  folder: MigrationFolder;
  signal: AbortSignal;
  runId: string;
  lockTimeoutMs: number;
  lockAttempts: number;
  store: ObjectStore;
  pause: AbortSignal;
  /** Events that were logged are added here. */
  logged: string[];
}

function limitsOfTest({ lockTimeoutMs = 2_000 }: { lockTimeoutMs?: number }) {
  return { statementTimeoutMs: 60_000, lockTimeoutMs, idleInTransactionTimeoutMs: 60_000 };
}

export const silentLog = { info: () => {}, warn: () => {}, error: () => {} };
export const silentMetrics = { put: () => {}, flush: () => {} };

/** The login of a role of Nightshift with the password that its secret holds. */
export function roleLogin(cluster: OwnCluster, setting: RoleSecretSetting): Login {
  return { user: wantedRoles[setting].name, password: cluster.passwords[setting] };
}

/** Starts the cluster, with further lines of postgresql.conf; stop it in afterAll. */
export async function startOwnCluster(settings: Record<string, string> = {}): Promise<OwnCluster> {
  const cluster = await startThrowawayCluster({ settings: { max_prepared_transactions: '4', ...settings } });
  const { host, port, superuser, caFile } = cluster;
  const clients: Client[] = [];
  const passwords = Object.fromEntries(
    Object.keys(wantedRoles).map((setting) => [setting, randomBytes(18).toString('base64url')]),
  ) as Record<RoleSecretSetting, string>;
  const client = async (dbname: string, login: Login = superuser) => {
    const ssl = { ca: readFileSync(caFile, 'utf8'), host };
    const opened = new Client({ host, port, database: dbname, ...login, ssl, application_name: 'test' });
    opened.on('error', () => {});
    await opened.connect();
    clients.push(opened);
    return opened;
  };
  const database: OwnCluster['database'] = (job, dbname, login, more = {}) => {
    const credentials = { host, port, dbname, username: login.user, password: new SecretText(login.password) };
    return createDatabase({
      job,
      credentials: { read: async () => credentials, refresh: async () => credentials },
      tls: { mode: 'verify-full', caFile },
      limits: limitsOfTest(more),
      maxConnections: 4,
      rowSecurity: 'off',
    });
  };
  return {
    major: cluster.binaries.major,
    folder: cluster.folder,
    place: { host, port, caFile },
    superuser,
    passwords,
    client,
    database,
    createDatabase: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      const administrator = await client('postgres');
      await administrator.query(`create database ${quoteIdentifier(name)}`);
      await administrator.end();
      return name;
    },
    bootstrap: async (dbname, more = {}) => {
      const opened = database('bootstrap', dbname, more.admin ?? superuser);
      const place = { host, port, dbname };
      try {
        const result = await runBootstrap({
          runId: 'test-run',
          log: silentLog,
          clock: systemClock,
          signal: new AbortController().signal,
          event: { job: 'bootstrap', dryRun: more.dryRun ?? false, requestedBy: more.requestedBy ?? 'test' },
          database: opened,
          place,
          folder: more.folder ?? productFolder('nightshift'),
          roleSecrets: (Object.keys(wantedRoles) as RoleSecretSetting[]).map((setting) => {
            const role = wantedRoles[setting];
            const secret = async () => ({
              ...place,
              username: role.name,
              password: new SecretText(passwords[setting]),
              ...more.secrets?.[setting],
            });
            return { role, source: { read: secret, refresh: secret } };
          }),
        });
        return bootstrapResultSchema.parse(result);
      } finally {
        await opened.close();
      }
    },
    migrate: async (dbname, event, more = {}) => {
      const login = more.login ?? { user: 'nightshift_migrate', password: passwords.MIGRATE_SECRET_ARN };
      const opened = database('migrate', dbname, login, more);
      const note = (name: string) => more.logged?.push(name);
      const log = { ...silentLog, info: note, warn: note };
      try {
        const result = await runMigrate({
          runId: more.runId ?? 'test-run',
          log,
          metrics: silentMetrics,
          clock: systemClock,
          signal: more.signal ?? new AbortController().signal,
          event: { job: 'migrate', action: 'status', requestedBy: 'test', ...event },
          database: opened,
          limits: limitsOfTest(more),
          folder: more.folder ?? productFolder('migrations'),
          store: more.store,
          databaseName: 'shop',
          clientDirectories: cluster.binaries.directory,
          mayWatch: true,
          lockAttempts: more.lockAttempts ?? 1,
          pause: more.pause ?? new AbortController().signal,
        });
        return migrateResultSchema.parse(result);
      } finally {
        await opened.close();
      }
    },
    stop: async () => {
      for (const opened of clients) await opened.end().catch(() => {});
      await cluster.stop();
    },
  };
}
