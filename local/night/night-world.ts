// Everything that one local night runs against: PostgreSQL, S3, Secrets Manager and the synthesized stack.
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import type { JobName } from '../../functions/shared/jobs.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { startObjectStoreServer } from '../object-store-server.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../postgres/throwaway-cluster.ts';
import { startSecretsServer } from '../secrets-server.ts';
import { type DeployedStack, readDeployedStack } from '../template/read-functions.ts';
import { synthesizeStacks } from '../template/synthesize-stack.ts';
import { startWatchdog } from '../watchdog.ts';
import { localEnvironment } from './local-environment.ts';
import { localSecrets } from './local-secrets.ts';
import { nightName, writeNightConfig } from './night-config.ts';
import type { NightOptions } from './parse-arguments.ts';

export const SAMPLE_DBNAME = 'sample';

export interface NightWorld {
  readonly stack: DeployedStack;
  /** Folder with the objects of the backup bucket as plain files. */
  readonly bucketFolder: string;
  /** Undefined only with --drill-here: then everything happens on the user's own server. */
  readonly cluster: ThrowawayCluster | undefined;
  environmentOf(job: JobName): Record<string, string>;
  close(): Promise<void>;
}

export interface NightFolder {
  path: string;
  /** Removes it, unless it is kept. */
  close(): Promise<void>;
}

/** A folder for this night: under .nightshift/ of the working folder when it is kept, a temporary one otherwise. */
export function makeNightFolder(nightId: string, keep: boolean): NightFolder {
  if (!keep) {
    const path = mkdtempSync(join(tmpdir(), 'nightshift-night-'));
    const watchdog = startWatchdog({ folders: [path] });
    return { path, close: async () => await watchdog.cleanUp() };
  }
  const path = resolve('.nightshift', nightId);
  mkdirSync(path, { recursive: true });
  return { path, close: async () => {} };
}

interface Opening {
  options: NightOptions;
  folder: string;
  signal: AbortSignal;
  /** Called as each part is ready, with a few words for the terminal. */
  onReady: (words: string) => void;
}

/** Starts all parts; when one fails, those that were started are stopped before this throws. */
export async function openNightWorld({ options, folder, signal, onReady }: Opening): Promise<NightWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const cluster = options.drillHere ? undefined : await startThrowawayCluster();
    if (cluster) {
      stops.push(async () => await cluster.stop());
      onReady(`PostgreSQL ${cluster.binaries.major} on ${cluster.host}:${cluster.port}`);
      if (!options.database) await createSampleDatabase(cluster);
    }
    const stack = await synthesize(options, folder, cluster, signal);
    onReady(`${Object.keys(stack.functions).length} functions synthesized and bundled`);

    const directory = join(folder, 's3');
    mkdirSync(directory, { recursive: true });
    const objectStore = await startObjectStoreServer({ directory, buckets: stack.buckets });
    stops.push(async () => await objectStore.stop());
    const secrets = await startSecretsServer({ secrets: localSecrets(stack, options.database, cluster) });
    stops.push(async () => await secrets.stop());
    onReady('S3 and Secrets Manager on loopback');

    const endpoints = { s3: objectStore.endpoint, secretsManager: secrets.endpoint };
    return {
      stack,
      bucketFolder: join(directory, stack.functions.backup.environment['BACKUP_BUCKET'] ?? ''),
      cluster,
      environmentOf: (job) => {
        const onCluster = cluster && (!options.database || job === 'restore-drill');
        const tls = onCluster ? { caFile: cluster.caFile, unsafe: undefined } : options.database?.tls;
        return localEnvironment(stack, job, endpoints, tls ?? { caFile: undefined, unsafe: undefined });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function synthesize(
  options: NightOptions,
  folder: string,
  cluster: ThrowawayCluster | undefined,
  signal: AbortSignal,
): Promise<DeployedStack> {
  const place = options.database ?? { host: cluster?.host ?? '', port: cluster?.port ?? 0, dbname: SAMPLE_DBNAME };
  const configFile = writeNightConfig(folder, {
    name: nightName(place.dbname),
    // A socket folder is no host name; the secrets carry it.
    host: place.host.startsWith('/') ? 'localhost' : place.host,
    port: place.port,
    dbname: place.dbname,
    unsafeDatabaseTls: options.database?.tls.unsafe,
    distributed: options.distributed,
  });
  const [stack] = await synthesizeStacks(configFile, join(folder, 'cdk.out'), signal);
  if (!stack) throw new Error('the configuration made no stack');
  return readDeployedStack(stack);
}

/** A superuser's session on the throw-away cluster; the caller ends it. */
export async function connectAsSuperuser(cluster: ThrowawayCluster, dbname: string): Promise<Client> {
  const { host, port, superuser, caFile } = cluster;
  const ssl = { ca: readFileSync(caFile, 'utf8'), host };
  const client = new Client({ host, port, database: dbname, ...superuser, ssl });
  await client.connect();
  return client;
}

async function createSampleDatabase(cluster: ThrowawayCluster): Promise<void> {
  const client = await connectAsSuperuser(cluster, 'postgres');
  try {
    await client.query(`create database ${quoteIdentifier(SAMPLE_DBNAME)}`);
  } finally {
    await client.end();
  }
}
