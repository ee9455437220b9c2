// Everything that the cases run against: one PostgreSQL, the data sets, the clients, the bundled function, the folders.
// Whatever it starts or makes is gone after close(), and after kill -9 as well (watchdogs hold it).
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quoteIdentifier, quoteLiteral } from '../../functions/shared/quote-identifier.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { type SecretsServer, startSecretsServer } from '../../local/secrets-server.ts';
import { startWatchdog } from '../../local/watchdog.ts';
import { fetchClients } from '../servers/fetch-clients.ts';
import { chooseServer } from '../servers/fetch-server.ts';
import { type BundledFunction, bundleBackupHandler } from './bundle-handler.ts';
import { asSuperuser, type DataSetPlace } from './data-sets.ts';
import type { PeerPlace } from './peer-commands.ts';

export interface BenchWorld extends DataSetPlace {
  serverVersion: string;
  /** Settings of the server that matter here, as it tells them. */
  serverSettings: Record<string, string>;
  secrets: SecretsServer;
  bundled: BundledFunction;
  /** On the disk that the local store uses. */
  diskFolder: string;
  memoryFolder: string;
  /** Undefined with --tls off. */
  caFile: string | undefined;
  peers: PeerPlace;
  close(): Promise<void>;
}

/** Of nightshift, as bootstrap makes it: no superuser, may read every row. */
const ROLE = 'nightshift_backup';

/** For a server that is only read. */
const READ_ONLY_SETTINGS: Readonly<Record<string, string>> = {
  // Filling the tables shall not take longer than reading them …
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '8GB',
  // … and nothing but the clients shall work while they are read.
  autovacuum: 'off',
  checkpoint_timeout: '1h',
};

/** Starts all parts; when one fails, those that were started are stopped before this throws. `say` is called with each. */
export async function openBenchWorld(
  options: {
    serverMajor: number | undefined;
    aptSources: string | undefined;
    tls: boolean;
    /** Lines of postgresql.conf. */
    settings?: Readonly<Record<string, string>>;
  },
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<BenchWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).toReversed()) await stop();
  };
  try {
    const binaries = await chooseServer(options.serverMajor, signal);
    const clients = await fetchClients(binaries.major, options.aptSources, signal);
    const diskFolder = mkdtempSync(join(tmpdir(), 'nightshift-bench-'));
    const folders = startWatchdog({ folders: [diskFolder] });
    stops.push(async () => await folders.cleanUp());
    const memoryFolder = mkdtempSync('/dev/shm/nightshift-bench-');
    const memory = startWatchdog({ folders: [memoryFolder] });
    stops.push(async () => await memory.cleanUp());
    const bundled = await bundleBackupHandler(diskFolder);
    signal.throwIfAborted();

    const settings = options.settings ?? READ_ONLY_SETTINGS;
    const cluster = await startThrowawayCluster({ binaries, settings });
    stops.push(async () => await cluster.stop());
    const caFile = options.tls ? cluster.caFile : undefined;
    if (!options.tls) allowClearText(cluster);
    const password = randomBytes(24).toString('base64url');
    const { serverVersion, serverSettings } = await prepareServer(cluster, signal, password, Object.keys(settings));
    say(
      `PostgreSQL ${serverVersion}, clients ${clients.directory} (${clients.major}), TLS ${options.tls ? 'on' : 'off'}`,
    );
    const secrets = await startSecretsServer({ secrets: {} });
    stops.push(async () => await secrets.stop());
    const { host, port } = cluster;
    return {
      cluster,
      role: ROLE,
      signal,
      serverVersion,
      serverSettings,
      secrets,
      bundled,
      diskFolder,
      memoryFolder,
      caFile,
      peers: { clients, host, port, username: ROLE, password, caFile },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The throw-away cluster takes TLS only; for `--tls off` it shall take both. */
function allowClearText(cluster: ThrowawayCluster): void {
  appendFileSync(join(cluster.folder, 'data', 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n');
  process.kill(cluster.processId, 'SIGHUP');
}

async function prepareServer(
  cluster: ThrowawayCluster,
  signal: AbortSignal,
  password: string,
  settings: readonly string[],
) {
  return await asSuperuser({ cluster, signal }, 'postgres', async (client) => {
    const role = quoteIdentifier(ROLE);
    await client.query(`create role ${role} login bypassrls password ${quoteLiteral(password)}`);
    await client.query(`grant pg_read_all_data to ${role}`);
    const names = [...settings, 'shared_buffers', 'block_size', 'fsync', 'ssl', 'jit', 'server_version'];
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, current_setting(name) as value from pg_settings where name = any($1) order by name',
      [names],
    );
    const serverSettings = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    return { serverSettings, serverVersion: serverSettings['server_version'] ?? '' };
  });
}
