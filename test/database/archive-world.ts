// What the tests of archived rows share: a database with schema nightshift, a role with no more rights than purge needs, and
// batches as purge makes them.
import { randomBytes } from 'node:crypto';
import { type ArchivedRows, archiveRows } from '../../functions/purge/archive/archive-rows.ts';
import type { ArchiveSeries } from '../../functions/purge/archive/archive-series.ts';
import { nextObjectNumber } from '../../functions/purge/archive/next-object-number.ts';
import { readArchiveColumns, returningList } from '../../functions/purge/archive/read-archive-columns.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import type { DatabaseSession } from '../../functions/shared/database.ts';
import { createObjectStore, type ObjectStore } from '../../functions/shared/object-store.ts';
import { quoteQualified } from '../../functions/shared/quote-identifier.ts';
import { readSqlFile } from '../../functions/shared/sql-files.ts';
import { createFreshDatabase, type FreshDatabase } from '../support/fresh-database.ts';
import { BUCKET } from '../support/local-aws.ts';

export const SERIES: ArchiveSeries = { database: 'shop', policy: 'events', seriesId: '17' };

export interface BatchOptions {
  /** Condition on the alias `t`. */
  where: string;
  table?: string;
  series?: ArchiveSeries;
  store?: ObjectStore;
  number?: number;
  signal?: AbortSignal;
  /** Called before the commit. */
  afterwards?: (session: DatabaseSession) => Promise<void>;
}

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

/** One batch of purge: everything in one transaction, which is rolled back when anything fails. */
export async function archiveBatch(
  session: DatabaseSession,
  { where, table: name = 'event', series = SERIES, ...more }: BatchOptions,
): Promise<ArchivedRows | undefined> {
  const table = { schema: 'app', name };
  await session.query(readSqlFile('purge/session.sql'));
  await session.query('begin');
  try {
    const columns = await readArchiveColumns(session, table);
    const archived = await archiveRows(session, {
      series,
      table,
      columns,
      number: more.number ?? (await nextObjectNumber(session, series.seriesId, table)),
      statement: `delete from ${quoteQualified('app', name)} as t where ${where} returning ${returningList(columns, 't')}`,
      store: more.store ?? createObjectStore(BUCKET),
      clock: systemClock,
      signal: more.signal ?? new AbortController().signal,
    });
    await more.afterwards?.(session);
    await session.query('commit');
    return archived;
  } catch (error) {
    await session.query('rollback').catch(() => {});
    throw error;
  }
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
    batch: async (options: BatchOptions) =>
      await database.withSession(async (session) => await archiveBatch(session, options)),
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
