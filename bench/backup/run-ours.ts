// One run of ours: an S3 and a bucket of its own, the function as it is deployed, and the proof of what it has stored.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupEnvironment } from '../../functions/backup/environment.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { parseManifest } from '../../functions/shared/backup-manifest.ts';
import { processEnvironment } from '../../infra/process-environment.ts';
import { type StoreProcess, startStore } from '../stores/start-store.ts';
import type { BenchWorld } from './bench-world.ts';
import type { BenchCase, Variant } from './cases.ts';
import type { DataSet } from './data-sets.ts';
import { countArchiveRows, proveManifest } from './prove-rows.ts';
import { type Answered, runFunction } from './run-client.ts';
import type { Outcome } from './run-record.ts';

/** As the backups are named in the bucket. */
export const DATABASE = 'bench';
export const BUCKET = 'bench-backups';
/** The default of backup.memoryMiB; the parts must fit into it. */
const FUNCTION_MEMORY_MIB = 2_048;

/** Runs it once; `readBack` also reads the rows of the stored archive, which only the disk sink keeps. */
export async function runOurs(
  world: BenchWorld,
  dataSet: DataSet,
  { sink, latencyMs, variant }: BenchCase & { variant: Extract<Variant, { who: 'ours' }> },
  folder: string,
  readBack: boolean,
): Promise<Outcome> {
  const store = await startStore(
    sink === 'discard' ? { kind: 'discard', latencyMs } : { kind: 'disk', folder, bucket: BUCKET },
  );
  try {
    const environment = environmentOfFunction(world, dataSet, variant, store.endpoint);
    const run = await runFunction(
      { bundled: world.bundled, environment, event: { job: 'backup' } },
      { serverProcessId: world.cluster.processId, sinkProcessId: store.processId, signal: world.signal },
    );
    return await proven(world, dataSet, run, store, sink === 'disk' ? folder : undefined, readBack);
  } finally {
    await store.stop();
  }
}

async function proven(
  world: BenchWorld,
  dataSet: DataSet,
  run: Answered,
  store: StoreProcess,
  folder: string | undefined,
  readBack: boolean,
): Promise<Outcome> {
  const { backupId, bytes } = run.answer;
  if (typeof backupId !== 'string' || typeof bytes !== 'number') {
    throw new Error(`the answer of the function has no backupId and bytes: ${JSON.stringify(run.answer)}`);
  }
  const keys = backupKeys(DATABASE, backupId);
  // The discarding store asks for no signature; the local store is a folder.
  const manifestText =
    folder === undefined
      ? await (await fetch(`${store.endpoint}/${BUCKET}/${keys.manifest}`)).text()
      : await readFile(join(folder, BUCKET, keys.manifest), 'utf8');
  const rows = proveManifest(parseManifest(keys.manifest, manifestText), dataSet);
  const counters = await store.counters();
  if (counters !== null && counters.archiveBytes !== bytes) {
    throw new Error(`the function says that the archive has ${bytes} bytes, the store has ${counters.archiveBytes}`);
  }
  if (folder !== undefined && readBack) {
    await countArchiveRows(world.peers.clients, join(folder, BUCKET, keys.archive), dataSet.rows, world.signal);
  }
  return {
    wallSeconds: run.wallSeconds,
    functionSeconds: run.functionSeconds,
    usage: run.usage,
    archiveBytes: bytes,
    rows,
    proof: folder !== undefined && readBack ? 'manifest, archive read back' : 'manifest',
    requests: counters?.requests ?? null,
  };
}

/** As infra sets it, with AWS made local and everything of it that is compared said here. */
export function environmentOfFunction(
  world: Pick<BenchWorld, 'peers' | 'secrets' | 'caFile'>,
  dataSet: Pick<DataSet, 'dbname'>,
  variant: Pick<Extract<Variant, { who: 'ours' }>, 'codec' | 'workers'>,
  endpoint: string,
): Record<string, string> {
  const { peers, secrets, caFile } = world;
  const secretArn = `arn:aws:secretsmanager:us-east-1:000000000000:secret:${dataSet.dbname}-abcdef`;
  const { host, port, username, password } = peers;
  secrets.setSecret(secretArn, JSON.stringify({ host, port, dbname: dataSet.dbname, username, password }));
  const settings: BackupEnvironment = {
    DATABASE_NAME: DATABASE,
    DATABASE_SECRET_ARN: secretArn,
    ...(caFile === undefined ? { UNSAFE_DATABASE_TLS: 'disable' } : { DATABASE_CA_FILE: caFile }),
    BACKUP_BUCKET: BUCKET,
    POSTGRES_CLIENT_DIRECTORIES: peers.clients.directory,
    CODEC: variant.codec,
    WORKERS: String(variant.workers),
    PARTS_IN_FLIGHT: '4',
    INLINE_LIMIT_GIB: '1000',
    MAX_CONNECTIONS: String(variant.workers + 4),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(FUNCTION_MEMORY_MIB),
  };
  return {
    ...settings,
    ...nodeEnvironment(endpoint),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_LAMBDA_FUNCTION_NAME: 'bench-backup',
  };
}

/** What every bundle gets: the Node process as it is deployed, and an S3 that is local. */
export function nodeEnvironment(s3: string): Record<string, string> {
  return {
    ...processEnvironment,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: randomBytes(16).toString('hex'),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_S3: s3,
    TZ: ':UTC',
  };
}
