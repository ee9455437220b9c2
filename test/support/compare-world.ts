// A backup of a small database with something of every kind, and what stock pg_restore has made of it: each test compares a
// copy in which it has changed one thing.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { Expected } from '../../functions/restore-drill/compare/compare-restored.ts';
import type { Comparison } from '../../functions/restore-drill/compare/comparison.ts';
import { backupKeys } from '../../functions/shared/backup-layout.ts';
import type { Database } from '../../functions/shared/database.ts';
import { createBackupSource } from './backup-source.ts';
import { storedBackup } from './changed-backup.ts';
import { compareWithBackup, expectedOf } from './compare-with-backup.ts';
import { startLocalAws } from './local-aws.ts';
import { stockClient } from './rich-source/restored-database.ts';
import { verify } from './verify-job.ts';

const run = promisify(execFile);

const SCHEMA = `
  create extension hstore schema app;
  create extension citext schema app;
  create type app.mood as enum ('sad', 'happy');
  create domain app.positive as int check (value > 0);
  create sequence app.lone;
  select setval('app.lone', 41);
  create table app.orders (
    id int primary key,
    state varchar(9) not null default 'new' check (state in ('new', 'sent')),
    at timestamptz default now(),
    raw bytea,
    price money,
    tags app.hstore,
    name text collate "C",
    note_id int references app.notes (id)
  );
  insert into app.orders
  select n, 'sent', '2026-07-01 00:00:00+00'::timestamptz + n * interval '1 hour', decode(md5(n::text), 'hex'), n::money, 'a=>1', 'n' || n, n
  from generate_series(1, 500) n;
  create index orders_by_state on app.orders (state) where state in ('new');
  create function app.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
  create function app.twice(n int default 2) returns int language sql as $$ select n * 2 $$;
  create trigger stamp before update on app.orders for each row execute function app.stamp();
  create view app.open_orders as select id, state from app.orders where state in ('new');
  create materialized view app.by_state as select state, count(*) as n from app.orders group by state;
  create rule nothing as on delete to app.open_orders do instead nothing;
  create statistics app.of_orders on state, note_id from app.orders;
  create table app.secrets (id int primary key, owner text);
  insert into app.secrets select n, 'nobody' from generate_series(1, 20) n;
  alter table app.secrets enable row level security, force row level security;
  create policy own on app.secrets using (owner = current_user);
  create table app.no_columns ();
  insert into app.no_columns select from generate_series(1, 7);
  create table app.emptied (id int);
  select lo_from_bytea(50000 + n, decode(md5(n::text), 'hex')) from generate_series(1, 5) n;
  grant select on app.orders to public;
`;

export type CompareWorld = Awaited<ReturnType<typeof createCompareWorld>>;

/** Without assertions, owners and grants included. */
export async function createCompareWorld() {
  const aws = await startLocalAws();
  const source = await createBackupSource(aws, 2_000);
  const { fresh } = source;
  await fresh.query(SCHEMA);
  // What a session shows must not depend on what the source has chosen for itself.
  await fresh.query(`alter database ${fresh.name} set timezone = 'Asia/Tokyo'`);
  await fresh.query(`alter database ${fresh.name} set bytea_output = 'escape'`);
  const { backupId } = await source.backUp();
  await verify({ database: 'shop', clients: source.clients }, { backupId });
  const stored = await expectedOf(aws, storedBackup(aws, backupId).readManifest());
  const expected: Expected = { ...stored, assertions: [] };
  const archive = join(aws.bucketFolder, backupKeys('shop', backupId).archive);
  let databases = 0;

  const newDatabase = async (template: string): Promise<string> => {
    databases += 1;
    const name = `${fresh.name}_${databases}`;
    await fresh.query(`create database ${name} template ${template}`);
    return name;
  };
  const pgRestore = async (...args: string[]) =>
    await run(join(stockClient().clientDirectory, 'pg_restore'), [...args, archive], {
      env: stockClient().environment,
    });
  /** A new database with the archive in it. */
  const restore = async (...args: string[]): Promise<string> => {
    const name = await newDatabase('template0');
    await pgRestore(`--dbname=${name}`, ...args);
    return name;
  };
  const restored = await restore('--exit-on-error');

  return {
    aws,
    fresh,
    expected,
    shippedAssertions: stored.assertions,
    /** Name of the database that nothing has changed. */
    restored,
    newDatabase,
    restore,
    /** A new database with those entries of the archive's list in it. */
    restoreEntries: async (isWanted: (line: string) => boolean): Promise<string> => {
      const { stdout } = await pgRestore('--list');
      const list = join(aws.bucketFolder, `${databases}.list`);
      writeFileSync(list, stdout.split('\n').filter(isWanted).join('\n'));
      return await restore(`--use-list=${list}`);
    },
    /** A copy of the restored database in which the statements were run. */
    changed: async (sql: string): Promise<string> => {
      const name = await newDatabase(restored);
      const { user, password } = inject('cluster');
      const client = await fresh.client({ user, password, database: name });
      await client.query(sql);
      await client.end();
      return name;
    },
    database: (name: string): Database => fresh.database('restore-drill').inDatabase(name),
    compare: async (name: string, more: Partial<Expected> = {}): Promise<Comparison> =>
      await compareWithBackup(fresh.database('restore-drill').inDatabase(name), { ...expected, ...more }),
    drop: async () => {
      const { rows } = await fresh.query<{ datname: string }>('select datname from pg_database where datname like $1', [
        `${fresh.name}\\_%`,
      ]);
      for (const { datname } of rows) await fresh.query(`drop database ${datname} with (force)`);
      await source.drop();
      await aws.stop();
    },
  };
}
