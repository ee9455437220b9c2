// Opens the one snapshot that a whole backup reads, and makes it safe: with the table of contents from pg_dump and a lock
// on every table, taken over from pg_dump without a gap. What happened to a table in between is found, never guessed.
import { type DumpedContents, dumpedContents } from '../../shared/archive-toc/dumped-contents.ts';
import type { Toc } from '../../shared/archive-toc/toc-entry.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { type Inventory, mergeReadings } from '../../shared/inventory.ts';
import { type ClientTools, findClientTools } from '../../shared/postgres-client-tools.ts';
import { readInventory } from '../../shared/read-inventory.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { expectedObjects } from '../plan/expected-objects.ts';
import { filterOptions } from '../plan/filter-options.ts';
import type { BackupJob } from '../run-backup.ts';
import { lockTables } from './lock-tables.ts';
import { readTocFromPgDump } from './read-toc.ts';
import { refuseRewrittenTables } from './refuse-rewritten-tables.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';

/** It is evidence for the drill, which must not keep a backup waiting; a second is long for 1,000 tables. */
const INVENTORY_LIMITS = { lockTimeoutMs: 5_000, statementTimeoutMs: 60_000 };

export interface OpenSnapshot extends ServerFacts {
  /** Of pg_export_snapshot(). */
  readonly snapshotId: string;
  readonly tools: ClientTools;
  readonly toc: Toc;
  readonly contents: DumpedContents;
  /** What a restore of this snapshot must bring back. */
  readonly inventory: Inventory;
}

/**
 * Begins the transaction of the snapshot on this session and locks every table that pg_dump would dump.
 *
 * Throws `backup.table_rewritten` or `backup.table_locked` when a table was changed or waited for between the snapshot
 * and the lock: only a fresh snapshot helps then.
 */
export async function openSnapshot(
  job: BackupJob,
  source: Database,
  session: DatabaseSession,
  applicationName: string,
): Promise<OpenSnapshot> {
  const { settings, clock, log, signal } = job;
  await session.query('begin isolation level repeatable read read only');
  await session.query(readSqlFile('backup/session.sql'));
  const facts = await readServerFacts(session);
  const tools = await findClientTools(settings.POSTGRES_CLIENT_DIRECTORIES, facts.server.major);
  // Before pg_dump looks at the catalog, and again after it: most of what a server says of its objects is of now.
  const before = await readInventory(session, INVENTORY_LIMITS);
  const exported = await session.query<{ id: string }>('select pg_catalog.pg_export_snapshot() as id');
  const snapshotId = exported.rows[0]?.id ?? '';
  log.info('backup.snapshot_opened', { snapshot: facts.server.snapshot, client: tools.version });

  const held = await readTocFromPgDump({
    tools,
    database: source,
    snapshotId,
    encoding: facts.server.encoding,
    lockTimeoutMs: settings.LOCK_TIMEOUT_MS,
    applicationName,
    filters: filterOptions(settings),
    signal,
  });
  try {
    const contents = dumpedContents(held.toc);
    await lockTables(session, contents.tables, { clock, withinMs: settings.LOCK_TIMEOUT_MS, signal });
    await refuseRewrittenTables(session, contents.tables);
    const isExpected = expectedObjects(settings, held.toc, contents);
    const inventory = mergeReadings(before, await readInventory(session, { ...INVENTORY_LIMITS, isExpected }));
    if (inventory.problem !== null) log.warn('backup.inventory_not_read', { problem: inventory.problem });
    log.info('backup.tables_locked', { tables: contents.tables.length, toc_bytes: held.toc.bytes });
    return { ...facts, snapshotId, tools, toc: held.toc, contents, inventory };
  } finally {
    await held.stop();
  }
}
