// Restores a fetched directory archive into the scratch database by stock pg_restore.
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { Credentials } from '../shared/credentials.ts';
import type { Database } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { type ClientTools, startClientTool, type ToolEnd, withCurrentLogin } from '../shared/postgres-client-tools.ts';

interface RestoreRequest {
  server: Database;
  tools: ClientTools;
  manifest: BackupManifest;
  /** The folder of the archive. */
  folder: string;
  /** Name of the empty database to restore into. */
  scratch: string;
  signal: AbortSignal;
}

/** Each job takes a session of its own; a small server has about two processors. */
const JOBS = 2;

/** Restores everything in the archive; throws `drill.restore_failed` for any error that pg_restore reports. */
export async function restoreArchive(request: RestoreRequest): Promise<void> {
  await withCurrentLogin(request.server, async (credentials) => await restoreAs(credentials, request));
}

async function restoreAs(credentials: Credentials, request: RestoreRequest): Promise<void> {
  const { server, tools, manifest, folder, scratch, signal } = request;
  signal.throwIfAborted();
  const pgRestore = startClientTool({
    tools,
    program: 'pg_restore',
    args: [
      `--jobs=${JOBS}`,
      '--no-owner',
      '--no-privileges',
      '--no-password',
      '--format=directory',
      `--dbname=${scratch}`,
      folder,
    ],
    credentials,
    dbname: scratch,
    tls: server.tls,
    applicationName: 'nightshift/restore-drill',
  });
  const stop = () => pgRestore.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    pgRestore.stdin.end();
    pgRestore.stdout.resume();
    const end = await pgRestore.ended;
    signal.throwIfAborted();
    if (end.exitCode !== 0) throw restoreFailure(manifest, end);
  } finally {
    signal.removeEventListener('abort', stop);
    pgRestore.stop();
    await pgRestore.ended;
  }
}

function restoreFailure(manifest: BackupManifest, end: ToolEnd): JobFailure {
  const how = end.signal === null ? `exited with code ${end.exitCode ?? 'unknown'}` : `was ended by ${end.signal}`;
  const said = end.messages.split('\n').slice(0, 5).join(' / ') || 'it said nothing';
  return new JobFailure({
    code: 'drill.restore_failed',
    problem: `backup ${manifest.backupId} did not restore: pg_restore ${how}: "${said}"`,
    safeState: 'The scratch database was dropped; the backup was not changed',
    hint: 'read what pg_restore says: a missing extension or role is a fault of this server, a damaged archive one of the backup',
  });
}
