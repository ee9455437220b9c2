// Turns what was read into a backup: the archive's upload is completed, globals are put, the manifest comes last.
import { backupKeys } from '../shared/backup-layout.ts';
import { type BackupManifest, MANIFEST_VERSION } from '../shared/backup-manifest.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { ObjectStore, StoredObject } from '../shared/object-store.ts';
import { TOOL_VERSION } from '../shared/tool-version.ts';
import type { Claim } from './claim-backup.ts';
import type { BackupResult } from './contract.ts';
import type { BackupParts } from './read-in-one-snapshot.ts';
import type { BackupJob } from './run-backup.ts';
import type { PendingUpload } from './stream-upload.ts';

/** Until the manifest is put there is no backup; what is left without one is swept later. */
export async function recordBackup(job: BackupJob, claim: Claim, parts: BackupParts): Promise<BackupResult> {
  const { store, settings, log, metrics } = job;
  const keys = backupKeys(settings.DATABASE_NAME, claim.backupId);
  let archive: StoredObject;
  try {
    job.signal.throwIfAborted();
    archive = await completeOnce(store, keys.archive, parts.archive);
  } catch (error) {
    await parts.archive.abort().catch((cause: unknown) => {
      log.error('backup.upload_not_aborted', { key: keys.archive, problem: describeError(cause) });
    });
    throw error;
  }
  const globals = await store.putOwn(keys.globals, parts.globals, 'application/sql');
  const manifest = buildManifest(job, claim, parts, { archive, globals });
  await putOnce(store, keys.manifest, `${JSON.stringify(manifest, null, 2)}\n`);

  log.info('backup.stored', { backup_id: claim.backupId, bytes: archive.bytes });
  const result = resultOf(manifest);
  metrics.put('BackupBytes', result.bytes);
  metrics.put('BackupRows', result.rows);
  return result;
}

/** The answer for a backup that has a manifest. */
export function resultOf(manifest: BackupManifest, alreadyMade = false): BackupResult {
  const archive = manifest.objects[0];
  return {
    backupId: manifest.backupId,
    alreadyMade,
    takenAt: manifest.takenAt,
    key: archive?.key ?? '',
    bytes: archive?.bytes ?? 0,
    sha256: archive?.sha256 ?? '',
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
  };
}

/** S3 may have completed the upload although its answer was lost; the retry is then refused, but the object is ours. */
async function completeOnce(store: ObjectStore, key: string, upload: PendingUpload): Promise<StoredObject> {
  try {
    return await upload.complete();
  } catch (error) {
    // Only the holder of this attempt's claim writes this key, so an object of our length is the one just completed.
    // It is listed, not read: the backup role may not read archives.
    for await (const present of store.list(key)) {
      if (present.key === key && present.bytes === upload.bytes) return present;
    }
    throw error;
  }
}

async function putOnce(store: ObjectStore, key: string, text: string): Promise<void> {
  try {
    await store.putNew(key, text, 'application/json');
  } catch (error) {
    const isTaken = error instanceof JobFailure && error.code === 'object_store.exists';
    if (!isTaken || (await store.getText(key)) !== text) throw error;
  }
}

interface Stored {
  archive: StoredObject;
  globals: StoredObject;
}

function buildManifest(job: BackupJob, claim: Claim, parts: BackupParts, stored: Stored): BackupManifest {
  const { server } = parts;
  const scheduledTime = job.event.scheduledTime;
  return {
    manifestVersion: MANIFEST_VERSION,
    database: job.settings.DATABASE_NAME,
    backupId: claim.backupId,
    trigger: scheduledTime === undefined ? 'manual' : 'schedule',
    scheduledTime: claim.scheduledTime.toISOString(),
    takenAt: server.takenAt.toISOString(),
    finishedAt: job.clock.now().toISOString(),
    engine: { version: server.version, aurora: server.aurora },
    serverId: server.serverId,
    toolVersion: TOOL_VERSION,
    clientVersion: parts.tools.version,
    format: 'custom',
    codec: 'gzip',
    archiveVersion: parts.archiveVersion,
    snapshot: server.snapshot,
    encoding: server.encoding,
    tables: parts.tables.map((table) => ({ ...table, key: stored.archive.key, bytes: null, ranges: [] })),
    excluded: [],
    ...parts.facts,
    objects: [
      { key: stored.archive.key, bytes: stored.archive.bytes, etag: stored.archive.etag, sha256: parts.archive.sha256 },
      { key: stored.globals.key, bytes: stored.globals.bytes, etag: stored.globals.etag, sha256: null },
    ],
  };
}
