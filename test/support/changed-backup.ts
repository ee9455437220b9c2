// A stored backup, and the means to change it behind the back of S3 for the time of one test.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import type { LocalAws } from './local-aws.ts';

export interface StoredBackup {
  readonly keys: ReturnType<typeof backupKeys>;
  /** The file in which an object lies. */
  pathOf(key: string): string;
  readManifest(): BackupManifest;
  /** The evidence of a drill, or undefined when it has left none. */
  readEvidence(runId: string): Record<string, unknown> | undefined;
  withObject(key: string, change: (bytes: Buffer) => Buffer, use: () => Promise<void>): Promise<void>;
  withManifest(change: (manifest: BackupManifest) => void, use: () => Promise<void>): Promise<void>;
}

export function storedBackup(aws: LocalAws, backupId: string): StoredBackup {
  const keys = backupKeys('shop', backupId);
  const pathOf = (key: string) => join(aws.bucketFolder, key);
  const readManifest = () => parseManifest(keys.manifest, readFileSync(pathOf(keys.manifest), 'utf8'));
  const withObject: StoredBackup['withObject'] = async (key, change, use) => {
    const saved = readFileSync(pathOf(key));
    writeFileSync(pathOf(key), change(Buffer.from(saved)));
    try {
      await use();
    } finally {
      writeFileSync(pathOf(key), saved);
    }
  };
  return {
    keys,
    pathOf,
    readManifest,
    readEvidence: (runId) => {
      try {
        const record: unknown = JSON.parse(readFileSync(pathOf(keys.drilled(runId)), 'utf8'));
        return Object.fromEntries(Object.entries(record ?? {}));
      } catch (error) {
        if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined;
        throw error;
      }
    },
    withObject,
    withManifest: async (change, use) => {
      const changed = readManifest();
      change(changed);
      await withObject(keys.manifest, () => Buffer.from(JSON.stringify(changed)), use);
    },
  };
}

/** The table of that name; throws when the manifest has none. */
export function tableOf(manifest: BackupManifest, name: string): BackupManifest['tables'][number] {
  const table = manifest.tables.find((one) => one.name === name);
  if (!table) throw new Error(`the manifest has no table ${name}`);
  return table;
}

/** Folders of fetched archives that drills of that process have and have not removed yet. */
export function fetchedFolders(processId: number): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`nightshift-drill-${processId}-`));
}

/** In hexadecimal, as the manifest has it. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
