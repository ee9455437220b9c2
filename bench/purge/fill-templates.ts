// Makes the databases of which each run gets a copy: rows of known age, a policy, and the rights of purge.
import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { readSqlFile } from '../../functions/shared/sql-files.ts';
import type { ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { asSuperuser } from '../backup/data-sets.ts';
import { installNightshiftSchema, openAsSuperuser } from '../nightshift-schema.ts';
import type { TableKind } from './cases.ts';

/** The name of a template. */
export function templateOf(tables: TableKind): string {
  return `bench_${tables}`;
}

/** Copies files instead of writing every page to the WAL, which an older server than 15 does in any case. */
export async function copyDatabase(client: Client, major: number, name: string, template: string): Promise<void> {
  const strategy = major >= 15 ? ' strategy file_copy' : '';
  await client.query(`create database ${name} template ${template}${strategy}`);
}

/** The text of `bench/purge/data/<name>`. */
export function readData(name: string): string {
  return readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8');
}

/** Fills the templates of `kinds`; that of `plain` always, because the other one is a copy with more in it. */
export async function fillTemplates(
  place: { cluster: ThrowawayCluster; signal: AbortSignal },
  options: { rows: number; expired: number; kinds: ReadonlySet<TableKind> },
  say: (words: string) => void,
): Promise<void> {
  const { rows, expired } = options;
  const plain = templateOf('plain');
  await asSuperuser(place, 'postgres', async (client) => void (await client.query(`create database ${plain}`)));
  const database = openAsSuperuser(place.cluster, plain);
  try {
    await installNightshiftSchema(database);
  } finally {
    await database.close();
  }
  await asSuperuser(place, plain, async (client) => {
    await client.query(readData('event.sql'));
    await client.query(readData('fill-event.sql'), [rows, expired]);
    await client.query(readData('index-event.sql'));
    await client.query("select setval(pg_get_serial_sequence('app.event', 'id'), $1)", [rows]);
    await client.query(readData('policy.sql'));
    const { rows: rights } = await client.query<{ statement: string }>(readSqlFile('roles/schema-privileges.sql'));
    for (const { statement } of rights) await client.query(statement);
    say(await settle(client, 'app.event', rows, ` (${expired.toLocaleString('en-US')} past retention)`));
  });
  if (!options.kinds.has('fk')) return;
  const fk = templateOf('fk');
  await asSuperuser(place, 'postgres', async (client) => {
    await client.query(`create database ${fk} template ${plain}`);
  });
  await asSuperuser(place, fk, async (client) => {
    await client.query(readData('item.sql'));
    await client.query(readData('fill-item.sql'), [expired]);
    await client.query(readData('index-item.sql'));
    say(await settle(client, 'app.item', expired, ', on delete cascade'));
  });
}

/** Freezes, so that no run pays for hint bits that the one before has not set yet; answers what there is, in words. */
async function settle(client: Client, table: string, rows: number, more: string): Promise<string> {
  await client.query(`vacuum (freeze, analyze) ${table}`);
  const { rows: sizes } = await client.query<{ heap: string; indexes: string }>(
    'select pg_size_pretty(pg_table_size($1::regclass)) as heap, pg_size_pretty(pg_indexes_size($1::regclass)) as indexes',
    [table],
  );
  return `${table}: ${rows.toLocaleString('en-US')} rows${more}, ${sizes[0]?.heap} and ${sizes[0]?.indexes} of indexes`;
}
