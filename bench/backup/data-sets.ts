// Makes the databases that are backed up, and counts independently of all cases what must come out of them.
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { quoteIdentifier, quoteQualified } from '../../functions/shared/quote-identifier.ts';
import type { ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import type { DataSetName } from './cases.ts';
import { type PeerPlace, readCopyText } from './peer-commands.ts';

/** COPY text of one row; the size that comes out is counted, not believed. */
const WIDE_ROW_BYTES = 299;
/** 100,000 accounts, nearly all of the text. */
const PGBENCH_SCALE_BYTES = 9_890_000;

export interface DataSet {
  name: string;
  dbname: string;
  tables: DataSetTable[];
  rows: number;
  /** COPY text of all tables, as psql receives it. */
  copyBytes: number;
  /** Heap and TOAST on the server. */
  tableBytes: number;
}

export interface DataSetTable {
  schema: string;
  name: string;
  rows: number;
  copyBytes: number;
}

/** What a data set is made on. `role` gets the right to read it. */
export interface DataSetPlace {
  cluster: ThrowawayCluster;
  role: string;
  peers: PeerPlace;
  signal: AbortSignal;
}

/**
 * Makes the database `bench_<label>`, vacuums and analyzes it, and reads it once, so that it is in memory.
 *
 * `bytes` is of COPY text; the last few per cent are as the rows come out. `withKeys` gives pgbench its keys and an index.
 */
export async function makeDataSet(
  place: DataSetPlace,
  kind: DataSetName,
  label: string,
  bytes: number,
  { withKeys = false } = {},
): Promise<DataSet> {
  const dbname = `bench_${label}`;
  await asSuperuser(place, 'postgres', async (client) => {
    await client.query(`create database ${quoteIdentifier(dbname)}`);
  });
  const tables = await asSuperuser(place, dbname, async (client) => {
    await client.query('begin');
    if (kind === 'pgbench') await fillPgbench(client, bytes);
    else if (kind === 'pair') for (const name of ['half_a', 'half_b']) await fillWide(client, name, bytes / 2);
    else await fillWide(client, 'wide', bytes);
    if (kind === 'pgbench' && withKeys) await client.query(readSql('pgbench-keys.sql'));
    await client.query('commit');
    // Frozen, so that no case pays for hint bits that the one before has not set yet.
    await client.query('vacuum (freeze, analyze)');
    return await readTables(client);
  });
  const counted: DataSetTable[] = [];
  for (const table of tables) {
    const copyBytes = await readCopyText(place.peers, dbname, quoteQualified(table.schema, table.name), place.signal);
    counted.push({ schema: table.schema, name: table.name, rows: table.rows, copyBytes });
  }
  const total = (of: (index: number) => number) => tables.reduce((sum, _, index) => sum + of(index), 0);
  return {
    name: label,
    dbname,
    tables: counted,
    rows: total((index) => counted[index]?.rows ?? 0),
    copyBytes: total((index) => counted[index]?.copyBytes ?? 0),
    tableBytes: total((index) => tables[index]?.tableBytes ?? 0),
  };
}

/** Removes the database again. */
export async function dropDataSet(place: DataSetPlace, dataSet: DataSet): Promise<void> {
  await asSuperuser(place, 'postgres', async (client) => {
    await client.query(`drop database ${quoteIdentifier(dataSet.dbname)} with (force)`);
  });
}

/** Runs `use` in a session of the superuser, which Ctrl-C ends. */
export async function asSuperuser<T>(
  { cluster, signal }: Pick<DataSetPlace, 'cluster' | 'signal'>,
  dbname: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { host, port, superuser, caFile } = cluster;
  const ssl = { ca: readFileSync(caFile, 'utf8'), host };
  const client = new Client({ host, port, database: dbname, ...superuser, ssl });
  client.on('error', () => {});
  const stop = () => void client.end().catch(() => {});
  await client.connect();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await use(client);
  } finally {
    signal.removeEventListener('abort', stop);
    await client.end().catch(() => {});
  }
}

async function fillWide(client: Client, name: string, bytes: number): Promise<void> {
  await client.query(readSql('wide.sql'));
  await client.query(readSql('fill-wide.sql'), [Math.max(1, Math.round(bytes / WIDE_ROW_BYTES))]);
  if (name !== 'wide') await client.query(`alter table wide rename to ${quoteIdentifier(name)}`);
}

async function fillPgbench(client: Client, bytes: number): Promise<void> {
  await client.query(readSql('pgbench.sql'));
  await client.query(readSql('fill-pgbench.sql'), [Math.max(1, Math.round(bytes / PGBENCH_SCALE_BYTES))]);
}

function readSql(name: string): string {
  return readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8');
}

async function readTables(client: Client) {
  const { rows: names } = await client.query<{ name: string; bytes: string }>(
    "select relname as name, pg_table_size(oid) as bytes from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname",
  );
  const tables = [];
  for (const { name, bytes } of names) {
    const { rows } = await client.query<{ n: string }>(`select count(*) as n from ${quoteQualified('public', name)}`);
    tables.push({ schema: 'public', name, rows: Number(rows[0]?.n), tableBytes: Number(bytes) });
  }
  return tables;
}
