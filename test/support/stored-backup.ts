// A complete backup of two small objects with its manifest and evidence, stored as the jobs store it: enough for expire.
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { ObjectStore } from '../../functions/shared/object-store.ts';
import type { Verification } from '../../functions/shared/verification.ts';
import { drillRecordOf } from './drill-record-of.ts';

interface BackupParts {
  /** Of the snapshot; the time in the id by default. */
  takenAt?: string;
  state?: 'candidate' | 'verified' | 'drilled' | 'broken';
}

/** Stores toc.dat, globals.sql, the evidence that makes the state, and the manifest. */
export async function storeBackup(
  store: ObjectStore,
  database: string,
  backupId: string,
  { takenAt, state = 'verified' }: BackupParts = {},
): Promise<void> {
  const keys = backupKeys(database, backupId);
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(backupId) ?? [];
  const scheduled = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const toc = await store.putNew(keys.archiveFile('toc.dat'), 'archive', 'application/octet-stream');
  const globals = await store.putNew(keys.globals, 'globals', 'application/sql');
  const manifest: BackupManifest = {
    manifestVersion: 1,
    database,
    backupId,
    trigger: 'schedule',
    scheduledTime: scheduled,
    takenAt: takenAt ?? scheduled,
    finishedAt: scheduled,
    engine: { version: '15.18', aurora: false },
    serverId: '1',
    toolVersion: '0.1.0',
    clientVersion: '15.18',
    format: 'directory',
    codec: 'gzip',
    archiveVersion: '1.14',
    snapshot: '1:1:',
    encoding: 'UTF8',
    tables: [],
    largeObjects: { count: 0, bytes: 0, sha256: '0'.repeat(64) },
    sequences: [],
    excluded: [],
    readByPolicy: [],
    notSeen: [],
    extensions: [],
    roles: [],
    objects: [toc, globals].map((object) => ({ ...object, sha256: null })),
  };
  await store.putNew(keys.manifest, JSON.stringify(manifest), 'application/json');
  if (state !== 'candidate') {
    const damaged = state === 'broken';
    const verification = verificationOf(database, backupId, damaged ? 'damaged' : 'ok');
    await store.putNew(keys.verified('run-1'), JSON.stringify(verification), 'application/json');
  }
  if (state === 'drilled')
    await store.putNew(
      keys.drilled('drill-1'),
      JSON.stringify(drillRecordOf(backupId, { database })),
      'application/json',
    );
}

/** A verification of the whole backup. */
export function verificationOf(database: string, backupId: string, outcome: 'ok' | 'damaged'): Verification {
  return {
    verificationVersion: 1,
    database,
    backupId,
    runId: 'run-1',
    toolVersion: '0.1.0',
    startedAt: '2026-11-22T03:00:00.000Z',
    finishedAt: '2026-11-22T03:01:00.000Z',
    outcome,
    sample: null,
    read: { objects: 2, bytes: 14, rows: 0 },
    tables: [],
    largeObjects: null,
    findings: [],
    findingCount: outcome === 'ok' ? 0 : 1,
  };
}
