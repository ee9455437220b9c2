// What the tests of `npm run restore` restore: one database with three backups, of which only the oldest is proven.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { quoteIdentifier } from '../../functions/shared/quote-identifier.ts';
import { createBackupSource } from './backup-source.ts';
import { drillRecordOf } from './drill-record-of.ts';
import { BUCKET, type LocalAws } from './local-aws.ts';
import { verify } from './verify-job.ts';

export const READINGS = 60_000;
export const ALL_TABLES = 'app|notes\napp|orders\napp|readings\naudit|log';

export type RestorableSource = Awaited<ReturnType<typeof createRestorableSource>>;

/** Makes the database and its backups; `drop` removes them and every database of `newName`. */
export async function createRestorableSource(aws: LocalAws) {
  const owner = `owner_${randomBytes(4).toString('hex')}`;
  const made: string[] = [];
  const source = await createBackupSource(aws, READINGS);
  const { query } = source.fresh;
  await query(`create role ${owner} nologin; grant usage on schema app to ${owner}`);
  await query(`alter table app.notes owner to ${owner}`);
  await query('create index readings_value on app.readings (value)');
  await query('create table app.orders (id serial primary key, note int not null references app.notes)');
  await query('insert into app.orders (note) select n from generate_series(1, 500) n');
  await query("create schema audit; create table audit.log (id int, what text); insert into audit.log values (1, 'x')");
  await query("select lo_from_bytea(60001, 'a large object')");
  const { backupId: verified } = await source.backUp();
  await verify({ database: 'shop', clients: source.clients });
  const { backupId: broken } = await source.backUp();
  const drill = drillRecordOf(broken, { database: 'shop', outcome: 'different', problem: 'a row is missing' });
  const { drilledPrefix } = backupKeys('shop', broken);
  await createObjectStore(BUCKET).putNew(`${drilledPrefix}drill-1.json`, JSON.stringify(drill), 'application/json');
  const { backupId: unverified } = await source.backUp();

  /** A name that no other test has; the database is dropped at the end of the file. */
  const newName = (): string => {
    const name = `restored_${randomBytes(5).toString('hex')}`;
    made.push(name);
    return name;
  };

  const sql = async (dbname: string, text: string): Promise<string> => {
    const { user, password } = inject('cluster');
    const client = await source.fresh.client({ user, password, database: dbname });
    try {
      // Of several statements the last one answers.
      const results = [await client.query({ text, rowMode: 'array' })].flat();
      const rows: unknown[][] = results.at(-1)?.rows ?? [];
      return rows.map((row) => row.map(String).join('|')).join('\n');
    } finally {
      await client.end();
    }
  };

  const exists = async (dbname: string) =>
    (await sql('postgres', `select count(*) from pg_database where datname = '${dbname}'`)) === '1';

  const tablesOf = async (dbname: string) =>
    await sql(
      dbname,
      "select table_schema, table_name from information_schema.tables where table_schema !~ '^(pg_|information_schema)' order by 1, 2",
    );

  /** The same rows, indexes, constraints, owners, sequences and large objects as the source. */
  const expectWhole = async (dbname: string): Promise<void> => {
    for (const text of [
      'select count(*), sum(hashtext(n::text)) from app.notes n',
      'select count(*), sum(hashtext(r::text)) from app.readings r',
      'select count(*), sum(hashtext(o::text)) from app.orders o',
      'select count(*) from audit.log',
      'select last_value, is_called from app.readings_id_seq',
      'select last_value, is_called from app.orders_id_seq',
      "select indexdef from pg_indexes where schemaname in ('app', 'audit') order by 1",
      "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = to_regnamespace('app') order by 1",
      "select tableowner from pg_tables where tablename = 'notes'",
      "select convert_from(lo_get(60001), 'UTF8')",
    ]) {
      expect([text, await sql(dbname, text)]).toEqual([text, await sql(source.fresh.name, text)]);
    }
    expect(await tablesOf(dbname)).toBe(ALL_TABLES);
    expect(await sql(dbname, "select to_regnamespace('nightshift_restore') is null")).toBe('true');
  };

  /** The server has no session of a restore in this database any more. */
  const expectNoSession = async (dbname: string): Promise<void> => {
    const left = async () =>
      await sql(
        'postgres',
        `select pid, query from pg_stat_activity where datname = '${dbname}' and application_name = 'nightshift/restore'`,
      );
    // The server ends a session a moment after its client is gone.
    for (let waited = 0; waited < 50 && (await left()) !== ''; waited += 1) await sleep(100);
    expect(await left()).toBe('');
  };

  /** The key of the rows of app.readings in the verified backup. */
  const keyOfReadings = async (): Promise<string> => {
    const text = await createObjectStore(BUCKET).getText(backupKeys('shop', verified).manifest);
    const manifest: { tables: { name: string; key: string }[] } = JSON.parse(text ?? '{"tables":[]}');
    const readings = manifest.tables.find(({ name }) => name === 'readings')?.key;
    if (readings === undefined) throw new Error('the manifest has no table app.readings');
    return readings;
  };

  const drop = async (): Promise<void> => {
    for (const name of made) await source.fresh.query(`drop database if exists ${quoteIdentifier(name)}`);
    await source.fresh.query(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`);
    await source.drop();
  };
  return {
    fresh: source.fresh,
    owner,
    verified,
    broken,
    unverified,
    newName,
    sql,
    exists,
    tablesOf,
    expectWhole,
    expectNoSession,
    keyOfReadings,
    drop,
  };
}
