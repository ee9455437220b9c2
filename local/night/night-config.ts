// The configuration of the local night: the first database of nightshift.config.ts, pointed at the local server.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSettings } from '../../infra/config.ts';
import { config } from '../../nightshift.config.ts';

interface Place {
  /** The name of the database in Nightshift: the first part of every S3 key. */
  name: string;
  host: string;
  port: number;
  dbname: string;
  unsafeDatabaseTls: 'disable' | 'no-verify' | undefined;
  distributed: boolean;
}

/** Nothing is small enough for one function then; two steps at a time, for a machine with few processors. */
const DISTRIBUTED = { backup: { inlineLimitGiB: 0, copySteps: 2 }, verify: { inlineLimitGiB: 0, steps: 2 } };

/** Writes the configuration as a JSON file into the folder and gives its path. */
export function writeNightConfig(folder: string, place: Place): string {
  const [sample]: readonly Partial<DatabaseSettings>[] = config.databases;
  const database = {
    ...sample,
    name: place.name,
    server: { host: place.host, port: place.port, dbname: place.dbname },
    unsafeDatabaseTls: place.unsafeDatabaseTls,
    // The programs of this machine stand in for the layer; building one would need the network.
    backup: { ...sample?.backup, ...(place.distributed ? DISTRIBUTED.backup : {}), postgresClient: null },
    verify: { ...sample?.verify, ...(place.distributed ? DISTRIBUTED.verify : {}) },
  };
  const path = join(folder, 'nightshift.config.json');
  writeFileSync(path, `${JSON.stringify({ databases: [database] }, null, 2)}\n`);
  return path;
}

/** A database name in the form that Nightshift takes: lower case, letters, digits and "-", at most 32. */
export function nightName(dbname: string): string {
  const plain = dbname
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 32);
  return plain === '' ? 'database' : plain;
}
