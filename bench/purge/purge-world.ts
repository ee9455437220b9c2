// What the purges run against: a throw-away cluster whose commits are durable, a template database for each kind of tables, and
// for each run a copy of it. Nothing of it is left after close().
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { wantedRoles } from '../../functions/bootstrap/wanted-roles.ts';
import { quoteIdentifier, quoteLiteral } from '../../functions/shared/quote-identifier.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { startWatchdog } from '../../local/watchdog.ts';
import { asSuperuser } from '../backup/data-sets.ts';
import { findProgram } from '../servers/fetch-clients.ts';
import { chooseServer } from '../servers/fetch-server.ts';
import type { TableKind } from './cases.ts';
import { copyDatabase, fillTemplates, templateOf } from './fill-templates.ts';
import type { PurgePlace } from './purge-process.ts';

export interface PurgeWorld {
  readonly cluster: ThrowawayCluster;
  readonly signal: AbortSignal;
  readonly rows: number;
  readonly expired: number;
  readonly pgbench: string;
  /** For the logs of pgbench. */
  readonly folder: string;
  readonly serverVersion: string;
  readonly serverSettings: Readonly<Record<string, string>>;
  /** Of the run: the one database that the runs have one after the other. */
  readonly purger: PurgePlace;
  readonly application: PurgePlace;
  /** Makes the database of a run, written to disk and read once; the one of the run before is gone. */
  renew(tables: TableKind): Promise<void>;
  close(): Promise<void>;
}

export const DATABASE = 'bench_run';

/** The server as it comes, as in production, but for two: no checkpoint by time or by size falls into some runs only. */
const SETTINGS: Readonly<Record<string, string>> = {
  wal_level: 'replica',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  checkpoint_timeout: '1h',
  max_wal_size: '8GB',
};

/** Starts the cluster and fills the templates; when one step fails, nothing is left before this throws. */
export async function openPurgeWorld(
  options: { rows: number; expired: number; kinds: ReadonlySet<TableKind>; serverMajor: number | undefined },
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<PurgeWorld> {
  const { rows, expired } = options;
  const pgbench = findProgram('pgbench');
  const binaries = await chooseServer(options.serverMajor, signal);
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-bench-purge-'));
  const folders = startWatchdog({ folders: [folder] });
  let cluster: ThrowawayCluster | undefined;
  const close = async () => {
    await cluster?.stop();
    await folders.cleanUp();
  };
  try {
    cluster = await startThrowawayCluster({ binaries, settings: SETTINGS });
    const place = { cluster, signal };
    const purger = loginOf(cluster, folder, wantedRoles.PURGE_SECRET_ARN.name);
    const application = loginOf(cluster, folder, 'app');
    const serverSettings = await asSuperuser(place, 'postgres', async (client) => {
      await createRoles(client, purger, application);
      return await readSettings(client);
    });
    await fillTemplates(place, options, say);
    return {
      ...place,
      rows,
      expired,
      pgbench,
      folder,
      serverVersion: serverSettings['server_version'] ?? '',
      serverSettings,
      purger,
      application,
      renew: async (tables) => {
        await asSuperuser(place, 'postgres', async (client) => {
          await client.query(`drop database if exists ${DATABASE} with (force)`);
          await copyDatabase(client, binaries.major, DATABASE, templateOf(tables));
          await client.query('checkpoint');
        });
        await asSuperuser(place, DATABASE, async (client) => {
          await client.query('select count(*), sum(length(payload)) from app.event');
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function loginOf({ host, port, caFile }: ThrowawayCluster, folder: string, username: string): PurgePlace {
  return { folder, host, port, caFile, dbname: DATABASE, username, password: randomBytes(24).toString('base64url') };
}

/** The role of purge as bootstrap makes it, and the one of the application. */
async function createRoles(client: Client, purger: PurgePlace, application: PurgePlace): Promise<void> {
  const { connectionLimit, memberOf, settings } = wantedRoles.PURGE_SECRET_ARN;
  const role = quoteIdentifier(purger.username);
  await client.query(
    `create role ${role} login bypassrls connection limit ${connectionLimit} password ${quoteLiteral(purger.password)}`,
  );
  for (const group of memberOf) await client.query(`grant ${quoteIdentifier(group)} to ${role}`);
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter role ${role} set ${quoteIdentifier(name)} = ${quoteLiteral(value)}`);
  }
  // The list of the rights in schema nightshift asks about this one as well.
  await client.query(`create role ${quoteIdentifier(wantedRoles.HEALTH_SECRET_ARN.name)}`);
  await client.query(
    `create role ${quoteIdentifier(application.username)} login password ${quoteLiteral(application.password)}`,
  );
}

async function readSettings(client: Client): Promise<Record<string, string>> {
  const names = [...Object.keys(SETTINGS), 'shared_buffers', 'autovacuum', 'ssl', 'jit', 'server_version'];
  const { rows } = await client.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from pg_settings where name = any($1) order by name',
    [names],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
