// Looks at the user's database before the night begins: can it be reached, and which major is it?
import { createDatabase } from '../../functions/shared/database.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { LocalRunError } from '../local-run-error.ts';
import { findClientDirectories, findPostgres } from '../postgres/find-binaries.ts';
import type { DatabaseUrl } from './database-url.ts';

/** Throws within 10 s when the database cannot be reached, or when this machine's programs are too old for it. */
export async function checkDatabase(url: DatabaseUrl, drillHere: boolean): Promise<{ version: string }> {
  const credentials = { ...url, password: new SecretText(url.password ?? 'none') };
  const database = createDatabase({
    job: 'health',
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls: { mode: url.tls.unsafe ?? 'verify-full', caFile: url.tls.caFile ?? '' },
    limits: { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000, idleInTransactionTimeoutMs: 10_000 },
    maxConnections: 1,
    rowSecurity: 'off',
  });
  try {
    const version = await database.withSession(async (session) => {
      const { rows } = await session.query<{ server_version: string }>('show server_version');
      return rows[0]?.server_version ?? '';
    });
    refuseOlderPrograms(Number.parseInt(version, 10), version, drillHere);
    return { version };
  } finally {
    await database.close();
  }
}

function refuseOlderPrograms(major: number, version: string, drillHere: boolean): void {
  const newestClient = Math.max(0, ...findClientDirectories().map((client) => client.major));
  if (newestClient < major) {
    throw new LocalRunError(
      `the server is PostgreSQL ${version}, but the newest pg_dump on this machine is ${newestClient || 'none'}; an older pg_dump cannot read a newer server. Nothing was read`,
      `install the PostgreSQL ${major} client programs`,
    );
  }
  if (drillHere) return;
  const { major: local } = findPostgres();
  if (local < major) {
    throw new LocalRunError(
      `the server is PostgreSQL ${version}, the throw-away cluster for the restore drill would be PostgreSQL ${local}; a backup does not restore into an older server. Nothing was read`,
      '--drill-here restores into a scratch database on your server instead',
    );
  }
}
