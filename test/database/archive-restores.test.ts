// The proof of the archive: stock pg_restore restores it, in parallel and serially, to a database whose plain dump is equal
// to one that stock pg_dump made of the source in the same snapshot, while an application was writing.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupResult } from '../../functions/backup/contract.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { compareWithBackup, expectedOf } from '../support/compare-with-backup.ts';
import { distributedBackup } from '../support/distributed-backup.ts';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { compareByDump } from '../support/rich-source/compare-by-dump.ts';
import { loadRichSource, type RichSource, richSourceSize } from '../support/rich-source/load-rich-source.ts';
import { createRestoredDatabase, stockClient } from '../support/rich-source/restored-database.ts';
import { startWriter } from '../support/rich-source/start-writer.ts';
import { verify } from '../support/verify-job.ts';

const run = promisify(execFile);
const TIMEOUT = 1_800_000;

let aws: LocalAws;
let source: BackupSource;
let rich: RichSource;
let folder: string;

beforeAll(async () => {
  aws = await startLocalAws();
  source = await createBackupSource(aws, 1_000);
  rich = await loadRichSource(source.fresh);
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-restores-'));
}, TIMEOUT);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await aws.stop();
  await source.drop();
  const other = await createFreshDatabase();
  await rich.dropRoles({ query: other.query });
  await other.drop();
});

/** Makes a backup while the writer works; pg_dump first makes the reference in the snapshot that it is given. */
async function backUpWithReference(reference: string, backUp: () => Promise<BackupResult>): Promise<BackupManifest> {
  const { PGUSER, PGPASSWORD } = stockClient().environment;
  // The backup role may not read large objects by pg_dump, so the reference is a superuser's.
  source.replaceProgram(
    'pg_dump',
    `for argument in "$@"; do
      case "$argument" in --snapshot=*)
        PGUSER='${PGUSER}' PGPASSWORD='${PGPASSWORD}' "$REAL" --no-password "$argument" --file='${reference}' || exit 1
      esac
    done
    exec "$REAL" "$@"`,
  );
  const writer = startWriter(await source.fresh.client());
  try {
    const { backupId } = await backUp();
    const { manifest } = backupKeys('shop', backupId);
    return parseManifest(manifest, readFileSync(join(aws.bucketFolder, manifest), 'utf8'));
  } finally {
    source.restorePrograms();
    expect(await writer.stop()).toBeGreaterThan(5);
  }
}

describe.each([
  ['in one function', async () => await source.backUp()],
  [
    'in steps',
    async () => {
      const backup = distributedBackup(source);
      const { groups } = await backup.plan();
      await backup.copyAll(groups);
      return await backup.finish();
    },
  ],
])('the archive of a backup made %s', { timeout: TIMEOUT }, (kind, backUp) => {
  let manifest: BackupManifest;
  let reference: string;

  beforeAll(async () => {
    reference = join(folder, `${kind}.sql`);
    manifest = await backUpWithReference(reference, backUp);
    await verify({ database: 'shop', clients: source.clients }, { backupId: manifest.backupId });
  }, TIMEOUT);

  // Serially in one transaction: rows of different widths keep their order only where COPY fills a table that was made in
  // its own transaction (it then skips the map of free space). With --jobs pg_restore sees to that itself.
  test.each([['--jobs=2'], ['--single-transaction']])(
    'stock pg_restore %s of its files as they lie in the bucket: equal to the source in every byte of the dump',
    async (option) => {
      const restored = await createRestoredDatabase(rich);
      const { clientDirectory, environment } = stockClient();
      const archive = join(aws.bucketFolder, backupKeys('shop', manifest.backupId).archive);

      try {
        const { stderr } = await run(
          join(clientDirectory, 'pg_restore'),
          ['--exit-on-error', option, `--dbname=${restored.name}`, archive],
          { env: environment },
        );

        expect(stderr).toBe('');
        expect(await compareByDump({ file: reference }, { ...stockClient(), database: restored.name })).toBeUndefined();
        const database = source.fresh.database('restore-drill').inDatabase(restored.name);
        const compared = await compareWithBackup(database, await expectedOf(aws, manifest));
        expect(compared).toMatchObject({ differences: [], findings: [], notProven: [] });
        expect(compared.compared.tables).toBe(manifest.tables.length);
        expect(compared.compared.definitions).toBeGreaterThan(400);
      } finally {
        await restored.drop();
      }
    },
  );

  test('its manifest: everything was accounted for, nothing was left out, and what only a superuser sees is named', () => {
    const files = manifest.objects.filter(({ key }) => key.startsWith(backupKeys('shop', manifest.backupId).archive));

    expect(manifest).toMatchObject({ excluded: [], readByPolicy: [] });
    expect(manifest.notSeen).toEqual([`options of the user mapping ${rich.reader} on rich_server`]);
    expect(manifest.largeObjects.count).toBe(richSourceSize.largeObjects + 2);
    expect(files.every(({ key, bytes }) => existsSync(join(aws.bucketFolder, key)) && bytes > 0)).toBe(true);
    expect(manifest.tables.filter(({ name }) => name === 'rich_setting').map(({ rows }) => rows)).toEqual([3]);
  });
});
