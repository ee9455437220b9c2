// Decides whether this server can take the backup, and with which pg_restore.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { Database } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { type ClientTools, findClientTools } from '../shared/postgres-client-tools.ts';

/** The client programs to restore with: those of the server, or of the archive's maker where that is newer. */
export async function checkTarget(
  server: Database,
  directories: string,
  manifest: BackupManifest,
): Promise<ClientTools> {
  const targetMajor = await server.withSession(async (session) => {
    const { rows } = await session.query<{ version: string }>('show server_version_num');
    return Math.trunc(Number(Object.values(rows[0] ?? {})[0]) / 10_000);
  });
  const sourceMajor = Number.parseInt(manifest.engine.version, 10);
  if (targetMajor < sourceMajor) {
    throw new JobFailure({
      code: 'drill.target_too_old',
      problem: `backup ${manifest.backupId} comes from PostgreSQL ${sourceMajor}, the server to restore into is PostgreSQL ${targetMajor}`,
      safeState: 'Nothing was restored',
      hint: `drill on a server of PostgreSQL ${sourceMajor} or newer`,
    });
  }
  // pg_restore reads archives of its own major and older ones only.
  return await findClientTools(directories, Math.max(targetMajor, Number.parseInt(manifest.clientVersion, 10)));
}
