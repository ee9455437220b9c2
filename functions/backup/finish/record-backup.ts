// Turns copied ranges into a backup: everything is accounted for, the objects are made, the manifest comes last.
import { createHash } from 'node:crypto';
import { backupKeys } from '../../shared/backup-layout.ts';
import { type BackupManifest, MANIFEST_VERSION } from '../../shared/backup-manifest.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { ObjectStore, StoredObject } from '../../shared/object-store.ts';
import { TOOL_VERSION } from '../../shared/tool-version.ts';
import type { BackupResult } from '../contract.ts';
import type { BackupPlan, CopiedLargeObject, CopiedWork } from '../plan/plan-contract.ts';
import type { BackupJob } from '../run-backup.ts';
import { accountForWork, type CopiedContents, type CopiedTable } from './account-for-work.ts';
import { completeUploads } from './complete-uploads.ts';

/** Until the manifest is put there is no backup; throws `backup.incomplete` rather than write one that lies. */
export async function recordBackup(
  job: BackupJob,
  plan: BackupPlan,
  works: readonly CopiedWork[],
): Promise<BackupResult> {
  const { store, log, metrics, signal } = job;
  const contents = accountForWork(plan, works);
  const objects = await completeUploads({ store, plan, contents, signal, log });
  const manifest = buildManifest(job, plan, contents, objects);
  await putOnce(store, backupKeys(plan.database, plan.backupId).manifest, `${JSON.stringify(manifest, null, 1)}\n`);

  const result = resultOf(manifest);
  log.info('backup.stored', { backup_id: plan.backupId, bytes: result.bytes });
  metrics.put('BackupBytes', result.bytes);
  metrics.put('BackupRows', result.rows);
  return result;
}

/** The answer for a backup that has a manifest. */
export function resultOf(manifest: BackupManifest, alreadyMade = false): BackupResult {
  const archive = backupKeys(manifest.database, manifest.backupId).archive;
  const files = manifest.objects.filter(({ key }) => key.startsWith(archive));
  return {
    backupId: manifest.backupId,
    alreadyMade,
    takenAt: manifest.takenAt,
    archive,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
    largeObjects: manifest.largeObjects.count,
  };
}

async function putOnce(store: ObjectStore, key: string, text: string): Promise<void> {
  try {
    await store.putNew(key, text, 'application/json');
  } catch (error) {
    const isTaken = error instanceof JobFailure && error.code === 'object_store.exists';
    if (!isTaken || (await store.getText(key)) !== text) throw error;
  }
}

function buildManifest(
  job: BackupJob,
  plan: BackupPlan,
  contents: CopiedContents,
  objects: ReadonlyMap<string, StoredObject>,
): BackupManifest {
  const { version, aurora, serverId, snapshot, encoding } = plan.server;
  const etagOf = (key: string) => objects.get(key)?.etag ?? '';
  return {
    manifestVersion: MANIFEST_VERSION,
    database: plan.database,
    backupId: plan.backupId,
    trigger: plan.trigger,
    scheduledTime: plan.scheduledTime,
    takenAt: plan.takenAt,
    finishedAt: job.clock.now().toISOString(),
    engine: { version, aurora },
    serverId,
    toolVersion: TOOL_VERSION,
    clientVersion: plan.clientVersion,
    format: 'directory',
    codec: plan.codec,
    archiveVersion: plan.archiveVersion,
    snapshot,
    encoding,
    tables: contents.tables.map(tableOfManifest),
    largeObjects: totalOfLargeObjects(contents.largeObjects),
    sequences: plan.sequences,
    excluded: plan.excluded,
    readByPolicy: plan.readByPolicy,
    notSeen: plan.notSeen,
    extensions: plan.extensions,
    roles: plan.roles,
    objects: [
      ...plan.stored.map((one) => ({ ...one, etag: one.etag || etagOf(one.key) })),
      ...contents.tables.map(({ table: { key } }) => ({
        key,
        bytes: objects.get(key)?.bytes ?? 0,
        etag: etagOf(key),
        sha256: null,
      })),
      ...contents.largeObjects.map(({ object }) => ({ ...object, etag: object.etag || etagOf(object.key) })),
    ],
  };
}

function tableOfManifest({ table, ranges }: CopiedTable): BackupManifest['tables'][number] {
  let offset = 0;
  return {
    schema: table.schema,
    name: table.name,
    dumpId: table.dumpId,
    key: table.key,
    rows: ranges.reduce((sum, { rows }) => sum + rows, 0),
    bytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0),
    ranges: ranges.map(({ blocks, rows, bytes, crc32, sha256, length }) => {
      const place = { blocks, rows, bytes, crc32, sha256, offset, length };
      offset += length;
      return place;
    }),
  };
}

/** SHA-256 over `<oid> <bytes> <sha256>` of each, one in a line, in order of OID. */
function totalOfLargeObjects(largeObjects: readonly CopiedLargeObject[]): BackupManifest['largeObjects'] {
  const hash = createHash('sha256');
  for (const { oid, bytes, sha256 } of largeObjects) hash.update(`${oid} ${bytes} ${sha256}\n`);
  const bytes = largeObjects.reduce((sum, one) => sum + one.bytes, 0);
  return { count: largeObjects.length, bytes, sha256: hash.digest('hex') };
}
