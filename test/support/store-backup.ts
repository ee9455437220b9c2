// Puts the manifest and the evidence of a backup into the bucket, without an archive: for whoever judges backups by these.
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { DrillRecord } from '../../functions/shared/drill-record.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import type { Verification } from '../../functions/shared/verification.ts';
import { drillRecordOf } from './drill-record-of.ts';
import { makeArchive } from './stored-archive.ts';

const { manifest: small } = makeArchive({ database: 'orders', backupId: '20261122T020000Z', codec: 'gzip', seed: 1 });

/** `2026-11-22T02:00:00.000Z` of `20261122T020000Z`. */
export function instantOf(backupId: string): string {
  return backupId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6.000Z');
}

/** A small complete manifest, its snapshot at the time of the id. */
export function manifestOf(database: string, backupId: string, more: Partial<BackupManifest> = {}): BackupManifest {
  const takenAt = instantOf(backupId);
  return { ...small, database, backupId, scheduledTime: takenAt, takenAt, finishedAt: takenAt, ...more };
}

export function verificationOf(database: string, backupId: string, more: Partial<Verification> = {}): Verification {
  return {
    verificationVersion: 1,
    database,
    backupId,
    runId: 'verify-1',
    toolVersion: '0.1.0',
    startedAt: instantOf(backupId),
    finishedAt: instantOf(backupId),
    outcome: 'ok',
    sample: null,
    read: { objects: 1, bytes: 1, rows: 1 },
    tables: [],
    largeObjects: null,
    findings: [],
    findingCount: 0,
    ...more,
  };
}

/** What a verification says of a backup whose table is damaged. */
export const DAMAGED: Partial<Verification> = {
  outcome: 'damaged',
  findings: [{ object: 'archive/100.dat.gz', problem: 'its bytes are not those of the manifest' }],
  findingCount: 1,
};

interface Evidence {
  manifest?: Partial<BackupManifest>;
  /** Left out: never verified. */
  verified?: Partial<Verification>;
  /** Left out: never drilled. */
  drilled?: Partial<DrillRecord>;
}

/** Stores one backup. */
export async function storeBackup(
  store: ObjectStore,
  database: string,
  backupId: string,
  { manifest, verified, drilled }: Evidence = {},
): Promise<void> {
  const keys = backupKeys(database, backupId);
  const put = async (key: string, value: object) => await store.putNew(key, JSON.stringify(value), 'application/json');
  await put(keys.manifest, manifestOf(database, backupId, manifest));
  if (verified) await put(keys.verified('verify-1'), verificationOf(database, backupId, verified));
  if (drilled) await put(keys.drilled('drill-1'), drillRecordOf(backupId, { database, ...drilled }));
}
