// Runs the restore engine for tests: a backup of the local bucket into a database of the cluster of the tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupManifest } from '../../functions/shared/backup-manifest.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { Database } from '../../functions/shared/database.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { findClientTools } from '../../functions/shared/postgres-client-tools.ts';
import { openArchive } from '../../functions/shared/restore/open-archive.ts';
import {
  type RestoreOptions,
  type RestoreOutcome,
  type RestoreRequest,
  runRestore,
} from '../../functions/shared/restore/run-restore.ts';
import { readServerMajor } from '../../functions/shared/restore/target-database.ts';
import { BUCKET } from './local-aws.ts';

export const wholeDatabase = { schemas: [], tables: [], part: 'all' } as const;

/** As a superuser restores: with owners and privileges. */
export const fullRestore: RestoreOptions = {
  noOwner: false,
  noPrivileges: false,
  noTablespaces: false,
  jobs: 2,
  allowNonEmpty: false,
  skipForbidden: false,
  outlivesClient: false,
  keepRecords: false,
};

/** Restores `manifest` into `target`; the folder of the table of contents is gone afterwards. */
export async function engineRestore(
  target: Database,
  manifest: BackupManifest,
  clients: string,
  more: Partial<Omit<RestoreRequest, 'options'>> & { options?: Partial<RestoreOptions> } = {},
): Promise<RestoreOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-engine-'));
  const never = new AbortController().signal;
  const store = createObjectStore(BUCKET);
  try {
    const serverMajor = await target.withSession(readServerMajor);
    return await runRestore({
      store,
      clock: systemClock,
      archive: await openArchive({ store, clock: systemClock, signal: never, onBytes: () => {} }, manifest, folder),
      tools: await findClientTools(clients, Math.max(serverMajor, Number.parseInt(manifest.clientVersion, 10))),
      target,
      serverMajor,
      selection: wholeDatabase,
      pause: never,
      signal: never,
      onProgress: () => {},
      ...more,
      options: { ...fullRestore, ...more.options },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
