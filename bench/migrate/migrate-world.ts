// What the benchmark of migrations runs against: a throw-away cluster, the files in a folder, and for each run a new database.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../functions/shared/database.ts';
import { startThrowawayCluster, type ThrowawayCluster } from '../../local/postgres/throwaway-cluster.ts';
import { installNightshiftSchema, openAsSuperuser } from '../nightshift-schema.ts';

export interface MigrateBenchWorld {
  readonly cluster: ThrowawayCluster;
  /** Folder with the pairs of files. */
  readonly files: string;
  /** The up files in order. */
  readonly upFiles: readonly string[];
  readonly scratch: string;
  /** Makes a database, with schema nightshift in it; drop it with `drop`. */
  create(dbname: string): Promise<void>;
  drop(dbname: string): Promise<void>;
  /** Tables of the files that a database has. */
  tables(dbname: string): Promise<number>;
  close(): Promise<void>;
}

/** `durable`: every commit waits for the disk, as in production. */
export async function openMigrateBenchWorld(migrations: number, durable: boolean): Promise<MigrateBenchWorld> {
  const setting = durable ? 'on' : 'off';
  const cluster = await startThrowawayCluster({ settings: { fsync: setting, synchronous_commit: setting } });
  const scratch = mkdtempSync(join(tmpdir(), 'nightshift-bench-migrate-'));
  const files = join(scratch, 'files');
  mkdirSync(files);
  const upFiles = Array.from({ length: migrations }, (_, index) => writePair(files, index + 1));
  const inDatabase = async <T>(dbname: string, use: (database: Database) => Promise<T>): Promise<T> => {
    const database = openAsSuperuser(cluster, dbname);
    try {
      return await use(database);
    } finally {
      await database.close();
    }
  };
  return {
    cluster,
    files,
    upFiles,
    scratch,
    create: async (dbname) => {
      await inDatabase('postgres', async (server) => {
        await server.withSession(async (session) => void (await session.query(`create database ${dbname}`)));
      });
      await inDatabase(dbname, installNightshiftSchema);
    },
    drop: async (dbname) => {
      await inDatabase('postgres', async (server) => {
        await server.withSession(async (session) => void (await session.query(`drop database ${dbname}`)));
      });
    },
    tables: async (dbname) =>
      await inDatabase(
        dbname,
        async (database) =>
          await database.withSession(async (session) => {
            const { rows } = await session.query<{ n: number }>(
              "select count(*)::int as n from pg_class where relkind = 'r' and relname like 'bench\\_%'",
            );
            return rows[0]?.n ?? 0;
          }),
      ),
    close: async () => {
      await cluster.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** A table with a constraint, an index, a comment and a row, and what takes it away. */
function writePair(folder: string, number: number): string {
  const name = `${String(number).padStart(4, '0')}_table_${number}`;
  const table = `public.bench_${number}`;
  writeFileSync(
    join(folder, `${name}.up.sql`),
    `-- table ${number} of the benchmark
create table ${table} (
  id bigint generated always as identity primary key,
  name text not null check (length(name) <= 50),
  made_at timestamptz not null default now()
);
create index bench_${number}_name_idx on ${table} (name);
comment on table ${table} is 'table ${number}; one of many';
insert into ${table} (name) values ('first');
`,
  );
  writeFileSync(join(folder, `${name}.down.sql`), `drop table ${table};\n`);
  return join(folder, `${name}.up.sql`);
}
