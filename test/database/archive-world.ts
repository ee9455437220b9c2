// What the tests of archived rows share: a database with schema nightshift, a role with no more rights than purge needs, and
// batches as purge makes them.
import { randomBytes } from 'node:crypto';
import type { ArchiveSeries } from '../../functions/purge/archive/archive-series.ts';
import { createObjectStore } from '../../functions/shared/object-store.ts';
import { readSqlFile } from '../../functions/shared/sql-files.ts';
import { archiveBatch, type BatchOptions } from '../support/archive-batch.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { BUCKET } from '../support/local-aws.ts';

export const SERIES: ArchiveSeries = { database: 'shop', policy: 'events', seriesId: '17' };

/** Schema nightshift as far as an archive needs it, and an empty schema app. */
async function createSchemas(fresh: FreshDatabase, role: string): Promise<void> {
  await fresh.query('create schema nightshift');
  for (const file of ['0002_retention.sql', '0005_purge.sql']) await fresh.query(readSqlFile(`nightshift/${file}`));
  await fresh.query(`
    grant usage on schema nightshift to ${role};
    grant select, insert on nightshift.purge_object to ${role}`);
  await emptySchemas(fresh, role);
}

async function emptySchemas(fresh: FreshDatabase, role: string): Promise<void> {
  await fresh.query(`
    truncate nightshift.purge_object;
    drop schema if exists app cascade;
    create schema app;
    grant usage on schema app to ${role};
    alter default privileges in schema app grant select, delete on tables to ${role}`);
}

/** `close` takes database and role away again. */
export async function createArchiveWorld() {
  const fresh = await createFreshDatabase();
  const role = { user: `purge_${randomBytes(6).toString('hex')}`, password: 'only-in-this-test' };
  await fresh.query(`create role ${role.user} login password '${role.password}'`);
  await createSchemas(fresh, role.user);
  const database = fresh.database('purge', role);
  const loader = fresh.database('purge');
  return {
    fresh,
    role,
    database,
    batch: async (options: Pick<BatchOptions, 'where'> & Partial<BatchOptions>) =>
      await database.withSession(
        async (session) =>
          await archiveBatch(session, { series: SERIES, store: createObjectStore(BUCKET), ...options }),
      ),
    /** Empties schema app and forgets what was archived. */
    reset: async () => await emptySchemas(fresh, role.user),
    recorded: async () =>
      (
        await fresh.query<{ object_key: string; rows: number; bytes: number; sha256: string }>(
          'select object_key, row_count::int as rows, byte_count::int as bytes, sha256 from nightshift.purge_object order by table_name, number',
        )
      ).rows,
    /** Loads an object again, as docs/restore.md says. */
    loadBack: async (text: Buffer, table: string, columns: string) =>
      await loader.withSession(async (session) => {
        const rows = (async function* one() {
          yield text;
        })();
        const copy = `copy app.${table} (${columns}) from stdin with (encoding 'UTF8')`;
        return await session.copyIn(copy, { text: rows, signal: new AbortController().signal });
      }),
    close: async () => {
      await loader.close();
      await database.close();
      await fresh.query(`drop owned by ${role.user}`);
      await fresh.query(`drop role ${role.user}`);
      await fresh.drop();
    },
  };
}

export type ArchiveWorld = Awaited<ReturnType<typeof createArchiveWorld>>;
