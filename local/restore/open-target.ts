// Opens the database that a restore by hand goes into, and makes it first where that was asked for.
import { readFileSync } from 'node:fs';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import { createDatabase, type Database } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createDatabaseFor } from '../../functions/shared/restore/create-database.ts';
import type { OpenArchive } from '../../functions/shared/restore/open-archive.ts';
import { readServerMajor } from '../../functions/shared/restore/target-database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { LocalRunError } from '../local-run-error.ts';
import type { DatabaseUrl } from '../night/database-url.ts';

/** The database of the URL, with `jobs` sessions; connects on first use. */
export function openTarget(url: DatabaseUrl, jobs: number, signal: AbortSignal): Database {
  const credentials = { ...url, password: new SecretText(url.password ?? '') };
  const caFile = url.tls.caFile ?? '';
  if (url.tls.unsafe === undefined) {
    try {
      readFileSync(caFile);
    } catch {
      throw new LocalRunError(
        `TLS is verify-full, but ${caFile === '' ? 'no file of certificate authorities was given' : `"${caFile}" cannot be read`}. Nothing was read or changed`,
        'say sslrootcert=FILE in the URL, or set PGSSLROOTCERT; RDS: https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
      );
    }
  }
  return createDatabase({
    job: 'restore',
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls: { mode: url.tls.unsafe ?? 'verify-full', caFile },
    // A restore waits for whatever it has to wait for; the person at the terminal decides how long.
    limits: { statementTimeoutMs: 0, lockTimeoutMs: 0, idleInTransactionTimeoutMs: 0 },
    maxConnections: jobs + 1,
    rowSecurity: 'off',
    signal,
  });
}

/**
 * Its major version, and the roles of the backup that it lacks; `server` may be any database on it.
 *
 * Throws `restore.target_too_old` for a server below the major of the source.
 */
export async function requireServer(
  server: Database,
  manifest: BackupManifest,
): Promise<{ serverMajor: number; missingRoles: string[] }> {
  const { major, missingRoles } = await withAdvice(
    async () =>
      await server.withSession(async (session) => {
        const { rows } = await session.query<{ rolname: string }>('select rolname from pg_catalog.pg_roles');
        const known = new Set(rows.map(({ rolname }) => rolname));
        return {
          major: await readServerMajor(session),
          missingRoles: manifest.roles.filter((role) => !known.has(role)),
        };
      }),
  );
  const sourceMajor = Number.parseInt(manifest.engine.version, 10);
  if (major >= sourceMajor) return { serverMajor: major, missingRoles };
  throw new JobFailure({
    code: 'restore.target_too_old',
    problem: `backup ${manifest.backupId} comes from PostgreSQL ${sourceMajor}, the server to restore into is PostgreSQL ${major}`,
    safeState: 'Nothing was restored',
    hint: `restore into PostgreSQL ${sourceMajor} or newer; docs/restore.md says how far an older one takes it`,
  });
}

/** The failures of a connection with the next step for a person with a URL: there is no secret and no bootstrap here. */
async function withAdvice<T>(connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    const { code, problem, cause } = error;
    const hint =
      code === 'database.not_found'
        ? 'say --create to have it made, or check the URL'
        : code === 'database.login_refused'
          ? 'check role and password in the URL, PGPASSWORD or PGUSER'
          : code === 'database.tls_refused'
            ? 'give the authorities of the server as sslrootcert in the URL or as PGSSLROOTCERT, and the host as in its certificate'
            : undefined;
    if (hint === undefined) throw error;
    const said = problem.replace(', also after the secret was read again', '');
    throw new JobFailure({ code, problem: said, safeState: 'Nothing was restored', hint, cause });
  }
}

interface CreateRequest {
  archive: OpenArchive;
  /** Another database on the server, to send CREATE DATABASE from. */
  server: Database;
  dbname: string;
  serverMajor: number;
}

/** Makes the database of the URL with the encoding and locale of the backup, unless it is there. */
export async function createTargetIfMissing(request: CreateRequest): Promise<void> {
  const { archive, server, dbname, serverMajor } = request;
  await server.withSession(async (session) => {
    const { rowCount } = await session.query('select from pg_catalog.pg_database where datname = $1', [dbname]);
    if (rowCount > 0) return;
    const { toc, manifest } = archive;
    await createDatabaseFor(session, dbname, { toc, encoding: manifest.encoding, serverMajor });
  });
}
