// One cell of the matrix: a real server and real client programs of given majors. The archive of everything that this
// server can hold is restored by stock pg_restore to a database whose plain dump equals that of the snapshot in every byte.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BackupResult } from '../../functions/backup/contract.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { type BackupManifest, parseManifest } from '../../functions/shared/backup-manifest.ts';
import { type BackupSource, createBackupSource } from '../support/backup-source.ts';
import { compareWithBackup, expectedOf } from '../support/compare-with-backup.ts';
import { distributedBackup } from '../support/distributed-backup.ts';
import { createFreshDatabase } from '../support/fresh-database.ts';
import { type LocalAws, startLocalAws } from '../support/local-aws.ts';
import { compareByDump } from '../support/rich-source/compare-by-dump.ts';
import type { RichSource } from '../support/rich-source/load-rich-source.ts';
import { createRestoredDatabase, stockClient } from '../support/rich-source/restored-database.ts';
import { startWriter } from '../support/rich-source/start-writer.ts';
import { verify } from '../support/verify-job.ts';
import { loadAllThatFits } from './load-all-that-fits.ts';

const run = promisify(execFile);
const TIMEOUT = 600_000;
/** The first major whose pg_dump and pg_restore know zstd. */
const FIRST_WITH_ZSTD = 16;
/** From 15 on nobody may create in schema public of a new database, and pg_dump 15 writes grants as changes of just that. */
const PUBLIC_IS_CLOSED_SINCE = 15;
/** pg_restore sends this parameter from 17 on, and older servers refuse it; nothing else may go wrong. */
const TRANSACTION_TIMEOUT_SINCE = 17;

declare module 'vitest' {
  interface TaskMeta {
    /** Of server and client, as they tell them. */
    versions?: string;
    /** The backup was refused, as it must be here. */
    isRefused?: boolean;
  }
}

let aws: LocalAws;
let source: BackupSource;
let rich: RichSource;
let folder: string;
let server: { version: string; major: number };
let client: { version: string; major: number };

const refusal = inject('matrixRefusal');

beforeAll(async () => {
  // Told by every test, so that each of them counts as failed.
  if (refusal !== undefined) return;
  aws = await startLocalAws();
  source = await createBackupSource(aws, 1_000);
  passOnPrograms();
  const { rows } = await source.fresh.query<{ server_version: string }>('show server_version');
  server = versionIn(rows[0]?.server_version ?? '');
  client = versionIn((await run(join(stockClient().clientDirectory, 'pg_dump'), ['--version'])).stdout);
  rich = await loadAllThatFits(source.fresh, server.major);
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-matrix-'));
}, TIMEOUT);

afterAll(async () => {
  if (refusal !== undefined) return;
  await source.drop();
  const other = await createFreshDatabase();
  await rich.dropRoles({ query: other.query });
  await other.drop();
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});

function versionIn(text: string): { version: string; major: number } {
  const version = /\d+\.\d+/.exec(text)?.[0] ?? '';
  return { version, major: Number.parseInt(version, 10) };
}

/** Programs that come with their own libraries look for them beside their own name, which a link is not. */
function passOnPrograms(): void {
  for (const program of ['pg_dump', 'pg_dumpall', 'pg_restore'] as const)
    source.replaceProgram(program, 'exec "$REAL" "$@"');
}

type Codec = 'gzip' | 'zstd';

const drivers: Readonly<Record<string, (codec: Codec) => Promise<BackupResult>>> = {
  'in one function': async (codec) => await source.backUp({ settings: { ...source.settings, CODEC: codec } }),
  'in steps': async (codec) => {
    const backup = distributedBackup(source, { settings: { CODEC: codec } });
    const { groups } = await backup.plan();
    await backup.copyAll(groups);
    return await backup.finish();
  },
};

/** Makes a backup while an application writes; pg_dump first makes the reference in the snapshot that it is given. */
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
    passOnPrograms();
    expect(await writer.stop()).toBeGreaterThan(5);
  }
}

async function closePublicSchema(database: string): Promise<void> {
  const { user, password } = inject('cluster');
  const session = await source.fresh.client({ user, password, database });
  await session.query('revoke create on schema public from public');
  await session.end();
}

/** Runs stock pg_restore with two jobs; throws for anything that it says, but for what it has to say to an older server. */
async function restore(archive: string, database: string): Promise<void> {
  const { clientDirectory, environment } = stockClient();
  const isRefused = client.major >= TRANSACTION_TIMEOUT_SINCE && server.major < TRANSACTION_TIMEOUT_SINCE;
  const end = await run(join(clientDirectory, 'pg_restore'), ['--jobs=2', `--dbname=${database}`, archive], {
    env: environment,
  }).catch((error: unknown) => ({
    stderr: error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error),
  }));
  const expected = isRefused
    ? /^(pg_restore: error: could not execute query: ERROR: {2}unrecognized configuration parameter "transaction_timeout"\nCommand was: SET transaction_timeout = 0;\n+)+pg_restore: warning: errors ignored on restore: \d\n$/
    : /^$/;
  expect(end.stderr).toMatch(expected);
}

describe.each(Object.entries(drivers))('a backup made %s', { timeout: TIMEOUT }, (driver, backUp) => {
  test.for(['gzip', 'zstd'] as const)(
    '%s: verified, and stock pg_restore -j2 makes a database that equals the snapshot in every byte of the dump',
    async (codec, { task }) => {
      if (refusal !== undefined) throw new Error(`this cell could not be had: ${refusal}`);
      task.meta.versions = `${server.version} / ${client.version}`;
      if (codec === 'zstd' && client.major < FIRST_WITH_ZSTD) {
        await expect(backUp(codec)).rejects.toMatchObject({ code: 'backup.codec_refused' });
        task.meta.isRefused = true;
        return;
      }
      const reference = join(folder, `${driver}-${codec}.sql`);
      const manifest = await backUpWithReference(reference, async () => await backUp(codec));
      const { backupId } = manifest;
      expect(await verify({ database: 'shop', clients: source.clients }, { backupId })).toMatchObject({
        state: 'verified',
      });
      const restored = await createRestoredDatabase(rich);
      if (server.major < PUBLIC_IS_CLOSED_SINCE) await closePublicSchema(restored.name);
      try {
        await restore(join(aws.bucketFolder, backupKeys('shop', backupId).archive), restored.name);

        expect(await compareByDump({ file: reference }, { ...stockClient(), database: restored.name })).toBeUndefined();
        const database = source.fresh.database('restore-drill').inDatabase(restored.name);
        const compared = await compareWithBackup(database, await expectedOf(aws, manifest));
        expect(compared).toMatchObject({ differences: [], findings: [], notProven: [] });
        expect(compared.compared.tables).toBe(manifest.tables.length);
        expect(manifest).toMatchObject({ codec, excluded: [], readByPolicy: [] });
      } finally {
        await restored.drop();
      }
    },
  );
});
