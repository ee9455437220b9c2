// Opens the database that a restore by hand goes into, and makes it first where that was asked for.
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { Database } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { createDatabaseFor } from '../../functions/shared/restore/create-database.ts';
import type { OpenArchive } from '../../functions/shared/restore/open-archive.ts';
import { readServerMajor } from '../../functions/shared/restore/target-database.ts';
import type { DatabaseUrl } from '../night/database-url.ts';
import { openUrl, withUrlAdvice } from '../postgres/url-database.ts';

/** The database of the URL, with `jobs` sessions; connects on first use. */
export function openTarget(url: DatabaseUrl, jobs: number, signal: AbortSignal): Database {
  return openUrl(url, {
    job: 'restore',
    // A restore waits for whatever it has to wait for; the person at the terminal decides how long.
    limits: { statementTimeoutMs: 0, lockTimeoutMs: 0, idleInTransactionTimeoutMs: 0 },
    maxConnections: jobs + 1,
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
  const { major, missingRoles } = await withUrlAdvice(
    async () =>
      await server.withSession(async (session) => {
        const { rows } = await session.query<{ rolname: string }>('select rolname from pg_catalog.pg_roles');
        const known = new Set(rows.map(({ rolname }) => rolname));
        return {
          major: await readServerMajor(session),
          missingRoles: manifest.roles.filter((role) => !known.has(role)),
        };
      }),
    { safeState: 'Nothing was restored', notFound: 'say --create to have it made, or check the URL' },
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
