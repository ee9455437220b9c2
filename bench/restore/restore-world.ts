// What the restores run against: the world of the benchmark of the backup with a server as it comes, backups in a local S3,
// and the bundles of what is measured. Nothing of it is left after close().
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { parseManifest } from '../../functions/shared/backup-manifest.ts';
import { projectRoot } from '../../infra/function-bundle.ts';
import { type BenchWorld, openBenchWorld } from '../backup/bench-world.ts';
import { bundleAsDeployed } from '../backup/bundle-handler.ts';
import type { DataSetName } from '../backup/cases.ts';
import { asSuperuser, type DataSet, makeDataSet } from '../backup/data-sets.ts';
import type { PeerPlace } from '../backup/peer-commands.ts';
import { proveManifest } from '../backup/prove-rows.ts';
import { runFunction } from '../backup/run-client.ts';
import { BUCKET, DATABASE, environmentOfFunction } from '../backup/run-ours.ts';
import { findProgram } from '../servers/fetch-clients.ts';
import { startStore } from '../stores/start-store.ts';
import { type BuiltObjects, readBuiltObjects } from './prove-restore.ts';

export interface RestoreWorld extends BenchWorld {
  /** Who restores: the owner of everything, with TLS as all others. */
  restorer: PeerPlace;
  vacuumdb: string;
  /** `npm run restore` and the download, as JavaScript. */
  restoreProgram: string;
  downloadProgram: string;
  /** Of the local S3: holds the bucket. */
  storeFolder: string;
}

/** A data set and its backup. */
export interface RestoreDataSet extends DataSet {
  backupId: string;
  archiveBytes: number;
  /** Of all tables, as the manifest tells. */
  ranges: number;
  built: BuiltObjects;
}

/** The server that is restored into, as it comes but for two: no checkpoint and no autovacuum falls into some runs only. */
const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'replica',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
};

/** Starts all parts; when one fails, those that were started are stopped before this throws. */
export async function openRestoreWorld(
  options: { serverMajor: number | undefined; aptSources: string | undefined },
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<RestoreWorld> {
  const vacuumdb = findProgram('vacuumdb');
  const world = await openBenchWorld({ ...options, tls: true, settings: SETTINGS }, signal, say);
  try {
    const restoreFolder = join(world.diskFolder, 'restore');
    const restoreProgram = join(restoreFolder, 'index.mjs');
    const downloadProgram = join(world.diskFolder, 'download', 'index.mjs');
    await bundleAsDeployed('local/restore.ts', restoreProgram);
    await bundleAsDeployed('bench/restore/download-archive.ts', downloadProgram);
    cpSync(join(projectRoot, 'sql'), join(restoreFolder, 'sql'), { recursive: true });
    const storeFolder = join(world.diskFolder, 'store');
    mkdirSync(storeFolder);
    const { user: username, password } = world.cluster.superuser;
    const restorer = { ...world.peers, username, password };
    return { ...world, restorer, vacuumdb, restoreProgram, downloadProgram, storeFolder };
  } catch (error) {
    await world.close();
    throw error;
  }
}

/** Makes a data set, with keys where it has them, and its backup by the backup function as it is deployed. */
export async function makeBackup(world: RestoreWorld, kind: DataSetName, bytes: number): Promise<RestoreDataSet> {
  const dataSet = await makeDataSet(world, kind, kind, bytes, { withKeys: true });
  const built = await asSuperuser(world, dataSet.dbname, readBuiltObjects);
  const store = await startStore({ kind: 'disk', folder: world.storeFolder, bucket: BUCKET });
  try {
    const environment = environmentOfFunction(world, dataSet, { codec: 'gzip', workers: 2 }, store.endpoint);
    const { answer } = await runFunction(
      { bundled: world.bundled, environment, event: { job: 'backup' } },
      { serverProcessId: world.cluster.processId, sinkProcessId: undefined, signal: world.signal },
    );
    const { backupId, bytes: archiveBytes } = answer;
    if (typeof backupId !== 'string' || typeof archiveBytes !== 'number') {
      throw new Error(`the answer of the function has no backupId and bytes: ${JSON.stringify(answer)}`);
    }
    const key = backupKeys(DATABASE, backupId).manifest;
    const manifest = parseManifest(key, readFileSync(join(world.storeFolder, BUCKET, key), 'utf8'));
    proveManifest(manifest, dataSet);
    const ranges = manifest.tables.reduce((sum, table) => sum + table.ranges.length, 0);
    return { ...dataSet, backupId, archiveBytes, ranges, built };
  } finally {
    await store.stop();
  }
}
