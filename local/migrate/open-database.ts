// The database that a command of migrate works on: by a URL, or by its name in the config with the secret of the function.
import { migrateSettings } from '../../functions/migrate/environment.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { secretCredentials } from '../../functions/shared/credentials.ts';
import { createDatabase, type Database, type SessionLimits } from '../../functions/shared/database.ts';
import { readEnvironment } from '../../functions/shared/read-environment.ts';
import { type DatabaseConfig, placeOfDatabase } from '../../infra/config.ts';
import { secretName } from '../../infra/secret-role.ts';
import { configuredDatabase } from '../configured-database.ts';
import type { DatabaseUrl } from '../night/database-url.ts';
import { openUrl, requireAuthorities, withUrlAdvice } from '../postgres/url-database.ts';
import type { Login, MigrateArguments } from './parse-arguments.ts';

/** The one with the lock, the one that watches it, the one that records, and the one that tells how far it is. */
const SESSIONS = 4;

export interface OpenDatabase {
  database: Database;
  /** The first part of its keys in the bucket: as configured, or the name on the server. */
  name: string;
  limits: SessionLimits;
  lockAttempts: number;
  /** `"shop" on db.example.com:5432 as nightshift_migrate, TLS verify-full`. */
  place: string;
}

interface Settings {
  limits: SessionLimits;
  lockAttempts: number;
  database: Database;
  tls: string;
  /** What the failures of the first login are told with. */
  connect<T>(this: void, login: () => Promise<T>): Promise<T>;
}

/** Opens it and logs in once, so that what is wrong with the login is said first; close `database` in the end. */
export async function openDatabase(
  login: Login,
  options: LockOptions,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<OpenDatabase> {
  const { database, limits, lockAttempts, tls, connect } =
    'url' in login ? openByUrl(login.url, options, signal) : await openByName(login, options, { clock, signal });
  try {
    const { host, port, dbname, username } = await connect(async () => await database.verifiedCredentials());
    const name = 'url' in login ? dbname : login.name;
    return { database, name, limits, lockAttempts, place: `"${dbname}" on ${host}:${port} as ${username}, ${tls}` };
  } catch (error) {
    await database.close();
    throw error;
  }
}

type LockOptions = Pick<MigrateArguments, 'lockTimeoutMs' | 'lockAttempts'>;

function openByUrl(url: DatabaseUrl, options: LockOptions, signal: AbortSignal): Settings {
  const { limits, lockAttempts } = limitsOf(options, undefined);
  return {
    limits,
    lockAttempts,
    database: openUrl(url, { job: 'migrate', limits, maxConnections: SESSIONS, signal }),
    tls: url.tlsSentence,
    connect: async (login) =>
      await withUrlAdvice(login, { safeState: 'Nothing was read or changed', notFound: 'check the name in the URL' }),
  };
}

async function openByName(
  { name, config: path }: { name: string; config: string },
  options: LockOptions,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Settings> {
  const notDone = 'Nothing was read or changed';
  const config = await configuredDatabase(path, name, { now: clock.now(), notDone });
  // The secret lies in the region of the config; a person's own default may be another one.
  process.env['AWS_REGION'] ??= placeOfDatabase(config).region;
  const mode = config.unsafeDatabaseTls ?? 'verify-full';
  const caFile = process.env['PGSSLROOTCERT'] ?? '';
  if (mode === 'verify-full') requireAuthorities(caFile, 'set PGSSLROOTCERT to it');
  const { limits, lockAttempts } = limitsOf(options, config);
  const database = createDatabase({
    job: 'migrate',
    credentials: secretCredentials(secretName(name, 'migrate')),
    tls: { mode, caFile },
    limits,
    maxConnections: SESSIONS,
    rowSecurity: 'off',
    signal,
  });
  return { limits, lockAttempts, database, tls: `TLS ${mode}`, connect: async (login) => await login() };
}

/** What is said on the command line goes before the config, and that before the default of the function. */
function limitsOf(
  { lockTimeoutMs, lockAttempts }: LockOptions,
  config: Pick<DatabaseConfig, 'migrate'> | undefined,
): Pick<Settings, 'limits' | 'lockAttempts'> {
  const { LOCK_TIMEOUT_MS, LOCK_ATTEMPTS } = migrateSettings;
  const settings = readEnvironment(
    'migrate',
    { LOCK_TIMEOUT_MS, LOCK_ATTEMPTS },
    {
      LOCK_TIMEOUT_MS: (lockTimeoutMs ?? config?.migrate.lockTimeoutMs)?.toString(),
      LOCK_ATTEMPTS: lockAttempts?.toString(),
    },
  );
  // How long a statement may take, the person at the terminal decides; a transaction that nobody goes on with ends.
  const limits = { statementTimeoutMs: 0, lockTimeoutMs: settings.LOCK_TIMEOUT_MS, idleInTransactionTimeoutMs: 60_000 };
  return { limits, lockAttempts: settings.LOCK_ATTEMPTS };
}
