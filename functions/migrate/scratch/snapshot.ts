// A catalog snapshot: every object with its definition, owner and grants as the server says them, and the row digest of every
// table. Two snapshots of one server are equal exactly when catalogs and rows are.
import { createRowDigester, type RowDigest } from '../../shared/archive-data/row-digest.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { inventoryName } from '../../shared/inventory.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { type InventoryRow, readInventoryFacts } from '../../shared/read-inventory.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface Definition {
  /** Compared letter by letter: both sides come from one server, which says equal things equally. */
  readonly text: string;
  /** The same for a person: bodies, comments and labels in clear. */
  readonly shown: string;
  readonly row: Pick<InventoryRow, 'kind' | 'schema'>;
}

/** By what it is, as `index "app"."notes" "notes_pkey"`. */
export type Catalog = ReadonlyMap<string, Definition>;

export interface Snapshot {
  readonly catalog: Catalog;
  /** By quoted name of the table. */
  readonly rows: ReadonlyMap<string, RowDigest>;
  /** Group roles of this run that exist. */
  readonly roles: readonly string[];
}

/** Nobody waits for a scratch database. */
const WITHOUT_LIMIT = { lockTimeoutMs: 0, statementTimeoutMs: 0 };

/** The catalog in a read-only transaction of its own; views are looked at under ACCESS SHARE on what they read. */
export async function readCatalog(
  session: DatabaseSession,
  limits: { lockTimeoutMs: number; statementTimeoutMs: number } = WITHOUT_LIMIT,
): Promise<Catalog> {
  await session.query('begin isolation level repeatable read read only');
  const facts = await readInventoryFacts(session, limits);
  const texts = await session.query<{ kind: string; identity: string; hidden: string; shown: string }>(
    readSqlFile('migrate/catalog-texts.sql'),
  );
  await session.query('rollback');
  const clear = new Map(texts.rows.map((text) => [inventoryName(text.kind, text.identity), text]));
  return new Map(
    facts.map(({ row, kind, identity, definition }) => {
      const what = inventoryName(kind, identity);
      const text = clear.get(what);
      const shown = text === undefined ? definition : definition.replace(text.hidden, () => text.shown);
      return [what, { text: definition, shown, row }];
    }),
  );
}

/**
 * Reads every row of every table once, under the settings of a backup.
 *
 * In a transaction that is rolled back: for its time row level security does not bind the owner, which the server would
 * otherwise refuse. Only for a scratch database, whose tables all belong to the session's role.
 */
export async function digestTables(
  session: DatabaseSession,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RowDigest>> {
  const digests = new Map<string, RowDigest>();
  await session.query('begin');
  try {
    await session.query(readSqlFile('backup/session.sql'));
    const { rows } = await session.query<{ schema: string; name: string; is_forced: boolean }>(
      readSqlFile('migrate/tables.sql'),
    );
    for (const table of rows) {
      const qualified = quoteQualified(table.schema, table.name);
      if (table.is_forced) await session.query(`alter table ${qualified} no force row level security`);
      const digester = createRowDigester();
      await session.copyOut(`copy (select * from only ${qualified}) to stdout`, {
        take: (text) => {
          digester.push(text);
          return undefined;
        },
        signal,
      });
      const { rows: count, digest } = digester.end();
      digests.set(qualified, { rows: count, digest });
    }
  } finally {
    await session.query('rollback').catch(() => {});
  }
  return digests;
}
