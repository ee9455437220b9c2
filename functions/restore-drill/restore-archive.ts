// Streams an archive from S3 straight into stock pg_restore: no local disk.
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { BackupManifest } from '../shared/backup-manifest.ts';
import type { Credentials } from '../shared/credentials.ts';
import type { Database } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import { type ClientTools, startClientTool, type ToolEnd, withCurrentLogin } from '../shared/postgres-client-tools.ts';
import type { RestoreDrillJob } from './run-restore-drill.ts';

interface RestoreRequest {
  job: RestoreDrillJob;
  server: Database;
  tools: ClientTools;
  manifest: BackupManifest;
  /** Name of the empty database to restore into. */
  scratch: string;
}

export interface Restored {
  seconds: number;
  sha256: string;
  expectedSha256: string;
}

/** Restores everything in the archive; throws `drill.restore_failed` for any error that pg_restore reports. */
export async function restoreArchive(request: RestoreRequest): Promise<Restored> {
  return await withCurrentLogin(request.server, async (credentials) => await restoreAs(credentials, request));
}

async function restoreAs(credentials: Credentials, request: RestoreRequest): Promise<Restored> {
  const { job, server, tools, manifest, scratch } = request;
  const { signal, store, clock } = job;
  const archive = manifest.objects[0];
  if (manifest.format !== 'custom' || !archive?.sha256) {
    throw restoreFailure(manifest, `its format "${manifest.format}" is not one that this version restores`, undefined);
  }
  const startedMs = clock.monotonicMs();
  const pgRestore = startClientTool({
    tools,
    program: 'pg_restore',
    args: ['--no-owner', '--no-privileges', '--no-password', `--dbname=${scratch}`],
    credentials,
    dbname: scratch,
    tls: server.tls,
    applicationName: 'nightshift/restore-drill',
  });
  const stop = () => pgRestore.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const hash = createHash('sha256');
    const source = await store.getStream(archive.key);
    source.on('data', (chunk: Buffer) => hash.update(chunk));
    const sent = await pipeline(source, pgRestore.stdin).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (sent !== undefined) source.destroy();
    const end = await pgRestore.ended;
    signal.throwIfAborted();
    // A closed pipe is pg_restore's doing and explained by its exit code; any other error came from S3.
    if (end.exitCode !== 0) throw restoreFailure(manifest, howItEnded(end), sent);
    if (sent !== undefined)
      throw restoreFailure(manifest, `the archive could not be read: ${describeError(sent)}`, sent);
    const seconds = Math.round(clock.monotonicMs() - startedMs) / 1000;
    return { seconds, sha256: hash.digest('hex'), expectedSha256: archive.sha256 };
  } finally {
    signal.removeEventListener('abort', stop);
    pgRestore.stop();
    await pgRestore.ended;
  }
}

function howItEnded(end: ToolEnd): string {
  const how = end.signal === null ? `exited with code ${end.exitCode ?? 'unknown'}` : `was ended by ${end.signal}`;
  return `pg_restore ${how}: "${end.messages.split('\n').slice(0, 5).join(' / ') || 'it said nothing'}"`;
}

function restoreFailure(manifest: BackupManifest, problem: string, cause: unknown): JobFailure {
  return new JobFailure({
    code: 'drill.restore_failed',
    problem: `backup ${manifest.backupId} did not restore: ${problem}`,
    safeState: 'The scratch database was dropped; the backup was not changed',
    hint: 'read what pg_restore says: a missing extension or role is a fault of this server, a damaged archive one of the backup',
    cause,
  });
}
