// Compares a restored database with a backup as the drill does; the archive is read from where it lies in the bucket.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareRestored, type Expected } from '../../functions/restore-drill/compare/compare-restored.ts';
import type { Comparison } from '../../functions/restore-drill/compare/comparison.ts';
import { readExpected } from '../../functions/restore-drill/compare/read-expected.ts';
import { dumpedContents } from '../../functions/shared/archive-toc/dumped-contents.ts';
import { createTocReader } from '../../functions/shared/archive-toc/toc-reader.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import type { Database } from '../../functions/shared/database.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { BUCKET, type LocalAws } from './local-aws.ts';

/** What a database restored from that backup must be equal to, owners and grants included. */
export async function expectedOf(aws: LocalAws, manifest: BackupManifest): Promise<Expected> {
  const reader = createTocReader();
  const { archiveFile } = backupKeys(manifest.database, manifest.backupId);
  reader.push(readFileSync(join(aws.bucketFolder, archiveFile('toc.dat'))));
  const contents = dumpedContents(reader.end());
  return await readExpected(createObjectStore(BUCKET), manifest, { contents, leftOut: new Set() });
}

/** All items; closes the database's sessions. */
export async function compareWithBackup(restored: Database, expected: Expected): Promise<Comparison> {
  try {
    return await compareRestored(restored, expected, { sessionsAtOnce: 2, signal: new AbortController().signal });
  } finally {
    await restored.close();
  }
}
