// Opens the database that a command works on: by a URL, or by its name in the config with the secret of a function.
import type { Clock } from '../../functions/shared/clock.ts';
import { secretCredentials } from '../../functions/shared/credentials.ts';
import { createDatabase, type Database, type SessionLimits } from '../../functions/shared/database.ts';
import { type DatabaseConfig, placeOfDatabase } from '../../infra/config.ts';
import { secretName } from '../../infra/secret-role.ts';
import { configuredDatabase } from '../configured-database.ts';
import type { DatabaseUrl } from '../night/database-url.ts';
import { openUrl, requireAuthorities, withUrlAdvice } from '../postgres/url-database.ts';
import type { Login } from './parse-login.ts';

const NOT_DONE = 'Nothing was read or changed';

interface LoginRequest {
  /** In the application_name of its sessions. */
  job: 'migrate' | 'purge';
  /** Whose secret is read when the database is named; a URL has a login of its own. */
  role: 'migrate' | 'purge';
  maxConnections: number;
  /** From the entry of the config; undefined for a URL. */
  limitsOf(this: void, config: DatabaseConfig | undefined): SessionLimits;
  clock: Clock;
  signal: AbortSignal;
}

export interface OpenLogin {
  database: Database;
  /** Undefined for a URL. */
  config: DatabaseConfig | undefined;
  /** The first part of its keys in the bucket: as configured, or the name on the server. */
  name: string;
  limits: SessionLimits;
  /** `"shop" on db.example.com:5432 as nightshift_migrate, TLS verify-full`. */
  place: string;
}

/** Opens it and logs in once, so that what is wrong with the login is said first; close `database` in the end. */
export async function openLogin(login: Login, request: LoginRequest): Promise<OpenLogin> {
  const { database, config, limits, tls, connect } =
    'url' in login ? openByUrl(login.url, request) : await openByName(login, request);
  try {
    const { host, port, dbname, username } = await connect(async () => await database.verifiedCredentials());
    const name = 'url' in login ? dbname : login.name;
    return { database, config, name, limits, place: `"${dbname}" on ${host}:${port} as ${username}, ${tls}` };
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Opened extends Pick<OpenLogin, 'database' | 'config' | 'limits'> {
  tls: string;
  /** What the failures of the first login are told with. */
  connect<T>(this: void, login: () => Promise<T>): Promise<T>;
}

function openByUrl(url: DatabaseUrl, { job, maxConnections, limitsOf, signal }: LoginRequest): Opened {
  const limits = limitsOf(undefined);
  return {
    config: undefined,
    limits,
    database: openUrl(url, { job, limits, maxConnections, signal }),
    tls: url.tlsSentence,
    connect: async (login) =>
      await withUrlAdvice(login, { safeState: NOT_DONE, notFound: 'check the name in the URL' }),
  };
}

async function openByName(
  { name, config: path }: Exclude<Login, { url: DatabaseUrl }>,
  { job, role, maxConnections, limitsOf, clock, signal }: LoginRequest,
): Promise<Opened> {
  const config = await configuredDatabase(path, name, { now: clock.now(), notDone: NOT_DONE });
  // The secret lies in the region of the config; a person's own default may be another one.
  process.env['AWS_REGION'] ??= placeOfDatabase(config).region;
  const mode = config.unsafeDatabaseTls ?? 'verify-full';
  const caFile = process.env['PGSSLROOTCERT'] ?? '';
  if (mode === 'verify-full') requireAuthorities(caFile, 'set PGSSLROOTCERT to it');
  const limits = limitsOf(config);
  const database = createDatabase({
    job,
    credentials: secretCredentials(secretName(name, role)),
    tls: { mode, caFile },
    limits,
    maxConnections,
    rowSecurity: 'off',
    signal,
  });
  return { config, limits, database, tls: `TLS ${mode}`, connect: async (login) => await login() };
}
