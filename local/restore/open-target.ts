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

/** Its major version; throws `restore.target_too_old` for one below that of the source. `database` may be any on it. */
export async function requireServer(server: Database, manifest: BackupManifest): Promise<number> {
  const major = await server.withSession(readServerMajor);
  const sourceMajor = Number.parseInt(manifest.engine.version, 10);
  if (major >= sourceMajor) return major;
  throw new JobFailure({
    code: 'restore.target_too_old',
    problem: `backup ${manifest.backupId} comes from PostgreSQL ${sourceMajor}, the server to restore into is PostgreSQL ${major}`,
    safeState: 'Nothing was restored',
    hint: `restore into PostgreSQL ${sourceMajor} or newer; docs/restore.md says how far an older one takes it`,
  });
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
