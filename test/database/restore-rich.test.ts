// The proof of the restore engine: one of everything, restored straight from S3, equals the original by stock pg_dump.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { engineRestore } from '../support/engine-restore.ts';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { compareByDump, compareSortedDumps } from '../support/rich-source/compare-by-dump.ts';
import { loadRichSource, type RichSource } from '../support/rich-source/load-rich-source.ts';
import { createRestoredDatabase, stockClient } from '../support/rich-source/restored-database.ts';

const TIMEOUT = 1_800_000;

let aws: LocalAws;
let source: BackupSource;
let rich: RichSource;
let manifest: BackupManifest;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 100_000);
  rich = await loadRichSource(source.fresh);
  const { backupId } = await source.backUp();
  const { manifest: key } = backupKeys('shop', backupId);
  manifest = parseManifest(key, readFileSync(join(aws.bucketFolder, key), 'utf8'));
}, TIMEOUT);

afterAll(async () => {
  await aws.stop();
  await source.drop();
  const other = await createFreshDatabase();
  await rich.dropRoles({ query: other.query });
  await other.drop();
});

describe('runRestore, the rich source', { timeout: TIMEOUT }, () => {
  test.each([
    ['with one session: equal in every byte of the dump', 1, compareByDump],
    ['with two sessions: equal after the lines of each COPY block are sorted', 2, compareSortedDumps],
  ])('%s', async (_, jobs, compare) => {
    const restored = await createRestoredDatabase(rich);
    const target = source.fresh.database('restore-drill').inDatabase(restored.name);
    try {
      const outcome = await engineRestore(target, manifest, source.clients, { options: { jobs } });
      await target.close();

      expect(outcome).toMatchObject({ isDone: true, forbidden: [], leftOut: [] });
      expect(outcome.rows).toBe(manifest.tables.reduce((sum, { rows }) => sum + rows, 0));
      const original = { ...stockClient(), database: source.fresh.name };
      expect(await compare(original, { ...stockClient(), database: restored.name })).toBeUndefined();
    } finally {
      await target.close();
      await restored.drop();
    }
  });
});
