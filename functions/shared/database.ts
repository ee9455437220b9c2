// The one connection module: with copy-sessions.ts the only file that imports pg. TLS verify-full, session settings, a bounded pool,
// and one re-read of the secret when the server refuses the login (a rotated password).
import { readFileSync } from 'node:fs';
import { Client, Pool, type PoolClient, type QueryResultRow } from 'pg';
import { type CopyInOptions, type CopyOutOptions, copyIn, copyOut } from './copy-sessions.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { explainConnectError, isLoginRefused } from './database-errors.ts';
import type { databaseSettings } from './environment.ts';
import type { JobName } from './jobs.ts';
import type { SettingValues } from './read-environment.ts';

/** Shorter than the 10 s in which a person expects an answer; the server's own error arrives much sooner. */
const CONNECT_TIMEOUT_MS = 8_000;

export interface SessionLimits {
  /** A statement that runs longer is cancelled by the server (57014); 0 = no limit. */
  statementTimeoutMs: number;
  /** A statement that waits longer for a lock fails (55P03). */
  lockTimeoutMs: number;
  /** An open transaction that is idle for longer is ended by the server; 0 = no limit, for the snapshot holder only. */
  idleInTransactionTimeoutMs: number;
  /** A session that is idle outside of a transaction for longer is ended by the server; without it never. */
  idleSessionTimeoutMs?: number;
}

export interface DatabaseSession {
  /**
   * Runs a statement; `prepareAs` names it for the session, so that the server plans it once: for one that is run again and
   * again. One name is for one text.
   */
  query<Row extends QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
    options?: { prepareAs?: string },
  ): Promise<{ rows: Row[]; rowCount: number }>;
  /**
   * Runs a `COPY … TO STDOUT`, whose text goes to `take` in pieces of any size; answers the rows of the command tag.
   *
   * While a promise of `take` is open nothing more is read, so the server waits. When `signal` aborts or `take` fails the
   * session is ended at once; it is of no more use after any failure.
   */
  copyOut(sql: string, options: CopyOutOptions): Promise<{ rows: number }>;
  /**
   * Runs a `COPY … FROM STDIN` with the text of `options.text`; answers the rows of the command tag.
   *
   * When the text fails, the server is told that the COPY failed, and the text's error is thrown; when `signal` aborts, the
   * session is ended at once. It is of no more use after either.
   */
  copyIn(sql: string, options: CopyInOptions): Promise<{ rows: number }>;
  /** The server process, as in pg_stat_activity.pid. */
  readonly processId: number;
}

export interface Database {
  readonly credentials: CredentialSource;
  readonly tls: DatabaseTls;
  /** Credentials that have just opened a session (read again when refused): for a program that connects by itself. */
  verifiedCredentials(): Promise<Credentials>;
  /** Runs `use` with a session of the pool; the session is closed for good when `use` throws. */
  withSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T>;
  /** Runs `use` in a transaction that commits when it returns and rolls back when it throws. */
  withTransaction<T>(use: (session: DatabaseSession) => Promise<T>, begin?: string): Promise<T>;
  /** The same server, role and limits, but another database (a scratch database of the drill). */
  inDatabase(dbname: string): Database;
  /** Ends all sessions. Call it once, at the end of the job. */
  close(): Promise<void>;
}

export interface DatabaseTls {
  /** `verify-full` unless an UNSAFE_ setting lowered it. */
  readonly mode: 'verify-full' | 'no-verify' | 'disable';
  readonly caFile: string;
}

interface DatabaseOptions {
  /** In the application_name of its sessions; `restore` is the command by hand. */
  job: JobName | 'restore';
  credentials: CredentialSource;
  tls: DatabaseTls;
  limits: SessionLimits;
  maxConnections: number;
  /** `off` makes a query that row level security would cut fail, instead of silently returning fewer rows. */
  rowSecurity: 'on' | 'off';
  dbname?: string;
  /** The time of the run: sessions that the server has left without an answer 5 s after its end are destroyed. */
  signal?: AbortSignal;
}

/** Long enough to end a holder and to roll back, short enough for what has to follow within the last 30 s of a function. */
const ABANDON_AFTER_MS = 5_000;

/** The TLS mode that the settings ask for. */
export function tlsOf(
  settings: Pick<SettingValues<typeof databaseSettings>, 'UNSAFE_DATABASE_TLS' | 'DATABASE_CA_FILE'>,
): DatabaseTls {
  return { mode: settings.UNSAFE_DATABASE_TLS ?? 'verify-full', caFile: settings.DATABASE_CA_FILE };
}

/** The limits that the settings ask for, with 60 s for an idle transaction. */
export function limitsOf(
  settings: Pick<SettingValues<typeof databaseSettings>, 'LOCK_TIMEOUT_MS' | 'STATEMENT_TIMEOUT_MS'>,
): SessionLimits {
  return {
    lockTimeoutMs: settings.LOCK_TIMEOUT_MS,
    statementTimeoutMs: settings.STATEMENT_TIMEOUT_MS,
    idleInTransactionTimeoutMs: 60_000,
  };
}

/** Access to one database as one role; connects on first use. */
export function createDatabase(options: DatabaseOptions): Database {
  let pool: Pool | undefined;
  let opening: Promise<Pool> | undefined;
  let current: Credentials | undefined;
  const retired: Promise<void>[] = [];
  const sessions = new Set<PoolClient>();
  let isAbandoned = false;
  let abandonTimer: NodeJS.Timeout | undefined;

  const abandon = () => {
    isAbandoned = true;
    // One with a statement on the way is destroyed without a goodbye, so that the statement fails here and now.
    for (const client of sessions) if (client instanceof Client) void client.end();
  };
  const abandonSoon = () => {
    abandonTimer ??= setTimeout(abandon, ABANDON_AFTER_MS);
  };
  options.signal?.addEventListener('abort', abandonSoon, { once: true });

  async function open(reading: Promise<Credentials>): Promise<Pool> {
    const credentials = await reading;
    current = credentials;
    // Not waited for: its last session may be released only after somebody got one of the new pool.
    if (pool) retired.push(pool.end());
    pool = new Pool(poolConfig(options, credentials));
    // Without a listener an idle session that the server ends would crash the process; its next use reports it.
    pool.on('error', () => {});
    pool.on('connect', (client) => void sessions.add(client));
    pool.on('remove', (client) => void sessions.delete(client));
    return pool;
  }

  /** The pool of now, or a new one in place of the refused one; all who ask at the same time get the same. */
  async function usablePool(refused?: Pool): Promise<Pool> {
    if (pool !== undefined && pool !== refused) return pool;
    opening ??= open(refused ? newerCredentials() : options.credentials.read()).finally(() => {
      opening = undefined;
    });
    return await opening;
  }

  /** Somebody else of this process may have read the secret again already. */
  async function newerCredentials(): Promise<Credentials> {
    const known = await options.credentials.read();
    const isNewer = known.username !== current?.username || !known.password.equals(current.password);
    return isNewer ? known : await options.credentials.refresh();
  }

  async function connect(): Promise<PoolClient> {
    if (isAbandoned) options.signal?.throwIfAborted();
    const usable = await usablePool();
    try {
      return await usable.connect();
    } catch (error) {
      if (!isLoginRefused(error)) throw explainConnectError(error, await describePlace());
    }
    try {
      return await (await usablePool(usable)).connect();
    } catch (error) {
      throw explainConnectError(error, await describePlace());
    }
  }

  async function verifiedCredentials(): Promise<Credentials> {
    const credentials = await options.credentials.read();
    try {
      await openAndClose(options, credentials);
      return credentials;
    } catch (error) {
      if (!isLoginRefused(error)) throw explainConnectError(error, await describePlace());
    }
    const again = await options.credentials.refresh();
    try {
      await openAndClose(options, again);
      return again;
    } catch (error) {
      throw explainConnectError(error, await describePlace());
    }
  }

  async function describePlace() {
    const { host, port, dbname, username } = current ?? (await options.credentials.read());
    return { host, port, dbname: options.dbname ?? dbname, username };
  }

  async function withSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
    const client = await connect();
    // A session that the server ends between two statements must not crash the process; the next statement reports it.
    const ignore = () => {};
    client.on('error', ignore);
    let broken = true;
    try {
      const result = await use(asSession(client));
      broken = false;
      return result;
    } finally {
      client.off('error', ignore);
      // A session in an unknown state (open transaction, half-read COPY) must not go back to the pool.
      client.release(broken);
    }
  }

  return {
    credentials: options.credentials,
    tls: options.tls,
    verifiedCredentials,
    withSession,
    withTransaction: async (use, begin = 'begin') =>
      await withSession(async (session) => {
        await session.query(begin);
        const result = await use(session);
        await session.query('commit');
        return result;
      }),
    inDatabase: (dbname) => createDatabase({ ...options, dbname }),
    close: async () => {
      options.signal?.removeEventListener('abort', abandonSoon);
      const last = pool;
      pool = undefined;
      await Promise.all([...retired.splice(0), last?.end()]);
      clearTimeout(abandonTimer);
    },
  };
}

async function openAndClose(options: DatabaseOptions, credentials: Credentials): Promise<void> {
  const client = new Client(clientConfig(options, credentials));
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

function asSession(client: PoolClient): DatabaseSession {
  const processId = Reflect.get(client, 'processID');
  return {
    processId: typeof processId === 'number' ? processId : 0,
    query: async (sql, values = [], { prepareAs } = {}) => {
      const named = prepareAs === undefined ? {} : { name: prepareAs };
      const result = await client.query<never>({ ...named, text: sql, values: [...values] });
      return { rows: result.rows, rowCount: result.rowCount ?? 0 };
    },
    copyOut: async (sql, options) => await copyOut(client, sql, options),
    copyIn: async (sql, options) => await copyIn(client, sql, options),
  };
}

function clientConfig(options: DatabaseOptions, credentials: Credentials) {
  return {
    host: credentials.host,
    port: credentials.port,
    database: options.dbname ?? credentials.dbname,
    user: credentials.username,
    password: credentials.password.reveal(),
    ssl: sslOf(options.tls, credentials.host),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: `nightshift/${options.job}`,
  };
}

function poolConfig(options: DatabaseOptions, credentials: Credentials) {
  return {
    ...clientConfig(options, credentials),
    max: options.maxConnections,
    idleTimeoutMillis: 10_000,
    onConnect: async (client: { query(sql: string): Promise<unknown> }) => {
      await client.query(sessionSettings(options));
    },
  };
}

function sslOf(tls: DatabaseTls, host: string) {
  if (tls.mode === 'disable' || host.startsWith('/')) return false;
  if (tls.mode === 'no-verify') return { rejectUnauthorized: false };
  // `host` is what tls checks the certificate's names against; pg gives it no name when host is an IP address.
  return { rejectUnauthorized: true, ca: readFileSync(tls.caFile, 'utf8'), host };
}

/**
 * The settings of every session, in one round trip.
 *
 * A vanished client is noticed by the server within about 25 s (10 s idle, then 3 probes 5 s apart), so that its locks
 * and its snapshot do not outlive it for the hours that the operating system's default would take.
 */
function sessionSettings(options: DatabaseOptions): string {
  const { limits } = options;
  return [
    'set tcp_keepalives_idle = 10',
    'set tcp_keepalives_interval = 5',
    'set tcp_keepalives_count = 3',
    'set tcp_user_timeout = 25000',
    limitSettings(limits),
    `set idle_in_transaction_session_timeout = ${Math.trunc(limits.idleInTransactionTimeoutMs)}`,
    ...(limits.idleSessionTimeoutMs ? [`set idle_session_timeout = ${Math.trunc(limits.idleSessionTimeoutMs)}`] : []),
    `set row_security = ${options.rowSecurity}`,
    'set search_path = pg_catalog, pg_temp',
  ].join('; ');
}

/** The statements that give a session its limits again, after a work that must have none. */
export function limitSettings(limits: Pick<SessionLimits, 'statementTimeoutMs' | 'lockTimeoutMs'>): string {
  return [
    'set client_connection_check_interval = 2000',
    `set statement_timeout = ${Math.trunc(limits.statementTimeoutMs)}`,
    `set lock_timeout = ${Math.trunc(limits.lockTimeoutMs)}`,
  ].join('; ');
}
