// What the scaling benchmark runs against: one PostgreSQL with one large table, the proxy that limits each connection to
// it, and the synthesized stack, whose secrets name the proxy as the server. Nothing of it is left after close().

import { invokeFunction } from '../../local/lambda/invoke-function.ts';
import { localEnvironment } from '../../local/night/local-environment.ts';
import { localSecrets } from '../../local/night/local-secrets.ts';
import { writeNightConfig } from '../../local/night/night-config.ts';
import { makeNightFolder } from '../../local/night/night-world.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { startSecretsServer } from '../../local/secrets-server.ts';
import { type DeployedStack, readDeployedStack } from '../../local/template/read-functions.ts';
import { synthesizeStacks } from '../../local/template/synthesize-stack.ts';
import { asSuperuser } from '../backup/data-sets.ts';
import { startStore } from '../stores/start-store.ts';
import { startLimit } from './start-limit.ts';

export interface ScalingWorld {
  cluster: ThrowawayCluster;
  stack: DeployedStack;
  proxyProcessId: number;
  table: { rows: number; bytes: number };
  /** The environment of the backup function, with the given S3. */
  backupEnvironment(s3: string): Record<string, string>;
  close(): Promise<void>;
}

const DBNAME = 'scaling';
const MIB = 1_048_576;
/**
 * Rows fill a quarter of each block, as in a table that is updated a lot: eight workers on one machine then wait for their
 * connections, and not for each other's processor time.
 */
const FILL_PERCENT = 25;
/** Rows that are made once and then repeated: gzip looks back 32 KiB only, so the repetition does not help it. */
const SEED_ROWS = 100_000;

/** Starts all parts and fills the table; when one fails, those that were started are stopped before this throws. */
export async function openScalingWorld(
  { sizeMiB, bytesPerSecond }: { sizeMiB: number; bytesPerSecond: number },
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<ScalingWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const folder = makeNightFolder('scaling', false);
    stops.push(async () => await folder.close());
    const cluster = await startThrowawayCluster({
      // Nothing but the backup shall work while it is measured.
      settings: { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '8GB' },
    });
    stops.push(async () => await cluster.stop());
    const proxy = await startLimit(cluster, bytesPerSecond);
    stops.push(async () => await proxy.stop());
    await asSuperuser({ cluster, signal }, 'postgres', async (client) => {
      await client.query(`create database ${DBNAME}`);
    });
    const place = { name: DBNAME, host: cluster.host, port: proxy.port, dbname: DBNAME };
    const config = writeNightConfig(folder.path, { ...place, unsafeDatabaseTls: undefined, distributed: true });
    const [synthesized] = await synthesizeStacks(config, `${folder.path}/cdk.out`, signal);
    if (!synthesized) throw new Error('the configuration made no stack');
    const stack = readDeployedStack(synthesized);
    const secrets = await startSecretsServer({ secrets: localSecrets(stack, undefined, cluster) });
    stops.push(async () => await secrets.stop());
    const environmentOf = (job: 'bootstrap' | 'backup', s3: string) =>
      localEnvironment(
        stack,
        job,
        { s3, secretsManager: secrets.endpoint },
        { caFile: cluster.caFile, unsafe: undefined },
      );
    await bootstrap(stack, (s3) => environmentOf('bootstrap', s3), signal);
    const table = await fillTable(cluster, sizeMiB * MIB, signal);
    say(
      `PostgreSQL ${cluster.binaries.major}, one table of ${table.rows.toLocaleString('en-US')} rows and ${(table.bytes / MIB).toFixed(0)} MiB, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s for each connection`,
    );
    return {
      cluster,
      stack,
      proxyProcessId: proxy.processId,
      table,
      close,
      backupEnvironment: (s3) => environmentOf('backup', s3),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes roles and rights as a deployment does; its run record goes to an S3 that is thrown away. */
async function bootstrap(
  stack: DeployedStack,
  environmentOf: (s3: string) => Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const s3 = await startStore({ kind: 'discard', latencyMs: 0 });
  try {
    const event = { job: 'bootstrap', requestedBy: 'the benchmark' };
    const { outcome } = await invokeFunction(stack.functions.bootstrap, environmentOf(s3.endpoint), event, { signal });
    if (!outcome.ok) throw new Error(`bootstrap failed: ${outcome.message}`);
  } finally {
    await s3.stop();
  }
}

/** One table whose rows are about 300 bytes of COPY text, of which gzip leaves about a sixth; vacuumed, in memory. */
async function fillTable(
  cluster: ThrowawayCluster,
  bytes: number,
  signal: AbortSignal,
): Promise<ScalingWorld['table']> {
  return await asSuperuser({ cluster, signal }, DBNAME, async (client) => {
    await client.query(
      `create unlogged table wide (id bigint, made timestamptz, filler text) with (fillfactor = ${FILL_PERCENT})`,
    );
    await client.query(
      `create temp table seed as
         select n, (select string_agg(case when part % 5 = 0 then md5((n + part)::text) else repeat('nightshift ', 3) end, '')
           from generate_series(1, 8) part) as filler from generate_series(1, ${SEED_ROWS}) n`,
    );
    let filled = 0;
    for (let copies = 0; filled < bytes; copies += 1) {
      await client.query(
        `insert into wide select n + ${copies} * ${SEED_ROWS}::bigint, timestamptz '2026-01-01' + n * interval '1 second', filler from seed`,
      );
      const { rows } = await client.query<{ bytes: string }>("select pg_relation_size('wide') as bytes");
      filled = Number(rows[0]?.bytes);
    }
    await client.query('vacuum (freeze, analyze) wide');
    const { rows } = await client.query<{ rows: string }>('select count(*) as rows from wide');
    return { rows: Number(rows[0]?.rows), bytes: filled };
  });
}
