// Reads the inventory of a database: of the source in the snapshot of a backup, and of a restored database. Both by the same
// statement under the same settings, so that equal catalogs give equal inventories.
import { createHash } from 'node:crypto';
import type { DatabaseSession } from './database.ts';
import type { Inventory, InventoryEntry } from './inventory.ts';
import { describeError } from './job-failure.ts';
import { sqlState } from './postgres-errors.ts';
import { readSqlFile } from './sql-files.ts';

/** One object as the catalog has it, with what it hangs on: its schema and its relation, null for what has none. */
export interface InventoryRow {
  kind: string;
  schema: string | null;
  relation: string | null;
  identity: string;
  definition: string | null;
  owner: string | null;
  privileges: string | null;
}

export interface ReadingOptions {
  /** 0 is no limit, for both. */
  lockTimeoutMs: number;
  statementTimeoutMs: number;
  /** Chooses among the objects; without it all are expected. */
  isExpected?: ((row: InventoryRow) => boolean) | undefined;
}

interface DatabaseRow {
  major: number;
  lc_monetary: string;
  encoding: string;
  locale_provider: string;
  collate: string;
  ctype: string;
  locale: string | null;
  collation_version: string | null;
  collations: string[];
}

/** One thing that the catalog says of an object: what it is, who owns it, or who may use it. */
export interface InventoryFact {
  readonly row: InventoryRow;
  /** Of the object, or `owner` or `privileges`. */
  readonly kind: string;
  readonly identity: string;
  readonly definition: string;
}

/** Hex digits of a digest: 128 bits. */
const DIGEST_DIGITS = 32;

/** A cast as the server writes it: the name of a type in lower case or in quotes, of one word or of the known several. */
const NAME = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const TYPE = [
  '(?:character|bit) varying',
  'double precision',
  String.raw`time(?:stamp)?(?:\(\d\))? with(?:out)? time zone`,
  'interval(?: [a-z]+)*',
  String.raw`${NAME}(?:\.${NAME})?`,
].join('|');
const CAST = String.raw`::(?:${TYPE})(?:\([\d, ]+\))?(?:\[\])*`;
/** What counts as it is, and, behind it, what does not count. */
const QUOTED_OR_LOOSE = new RegExp(String.raw`('(?:[^']|'')*'|"(?:[^"]|"")*")|${CAST}|[()\s]+`, 'gu');

/**
 * Reads it in the session's transaction, and undoes its settings and locks.
 *
 * An error of the server (somebody drops or locks what is read) is no failure: the inventory then has no entries, and says
 * why. Views are looked at under ACCESS SHARE on what they read.
 */
export async function readInventory(
  session: DatabaseSession,
  { lockTimeoutMs, statementTimeoutMs, isExpected }: ReadingOptions,
): Promise<Inventory> {
  const { rows } = await session.query<DatabaseRow>(readSqlFile('inventory/database.sql'));
  const row = rows[0];
  if (!row) throw new Error('sql/inventory/database.sql gave no row');
  const head = {
    inventoryVersion: 1 as const,
    major: row.major,
    database: {
      encoding: row.encoding,
      localeProvider: row.locale_provider,
      collate: row.collate,
      ctype: row.ctype,
      locale: row.locale,
      collationVersion: row.collation_version,
      lcMonetary: row.lc_monetary,
    },
    collations: row.collations,
    isFiltered: isExpected !== undefined,
  };
  await session.query('savepoint inventory');
  try {
    await prepareReading(session, { lockTimeoutMs, statementTimeoutMs });
    const listed = await session.query<InventoryRow>(inventoryQuery(row.major));
    const expected = isExpected ? listed.rows.filter(isExpected) : listed.rows;
    const entries = expected.flatMap(factsOf).map(asEntry);
    return { ...head, entries: entries.toSorted(inOrder), problem: null };
  } catch (error) {
    const state = sqlState(error);
    // A lost session is the loss of the snapshot.
    if (state === undefined || state.startsWith('57P') || state.startsWith('08')) throw error;
    return { ...head, entries: null, problem: `SQLSTATE ${state}: ${describeError(error)}` };
  } finally {
    // Without effect where the session is lost; its error is on the way already.
    await session.query('rollback to savepoint inventory; release savepoint inventory').catch(() => {});
  }
}

/**
 * What the inventory digests, with the definitions as they are and with invalid indexes; for a comparison that shows both
 * sides. In the session's transaction, whose settings it leaves changed; the server's errors are thrown.
 */
export async function readInventoryFacts(
  session: DatabaseSession,
  limits: Pick<ReadingOptions, 'lockTimeoutMs' | 'statementTimeoutMs'>,
): Promise<InventoryFact[]> {
  await prepareReading(session, limits);
  const { rows } = await session.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  const listed = await session.query<InventoryRow>(
    inventoryQuery(rows[0]?.major ?? 0, ['inventory/invalid-indexes.sql']),
  );
  return listed.rows.flatMap(factsOf);
}

async function prepareReading(
  session: DatabaseSession,
  { lockTimeoutMs, statementTimeoutMs }: Pick<ReadingOptions, 'lockTimeoutMs' | 'statementTimeoutMs'>,
): Promise<void> {
  await session.query(readSqlFile('inventory/session.sql'));
  await session.query(`set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = ${statementTimeoutMs}`);
}

/** All kinds of objects in one statement. */
function inventoryQuery(major: number, more: readonly string[] = []): string {
  const parts = [
    'inventory/relations.sql',
    'inventory/columns.sql',
    'inventory/sequences.sql',
    'inventory/on-tables.sql',
    'inventory/routines.sql',
    'inventory/types.sql',
    'inventory/operators.sql',
    'inventory/database-wide.sql',
    major < 15 ? 'inventory/publications-14.sql' : 'inventory/publications-15.sql',
    ...more,
  ].map(readSqlFile);
  const objects = `, object as (\n${parts.join('union all\n')})\n`;
  return `${readSqlFile('inventory/scope.sql')}${objects}${readSqlFile('inventory/rows.sql')}`;
}

function factsOf(row: InventoryRow): InventoryFact[] {
  const { kind, identity, definition, owner, privileges } = row;
  const name = `${kind} ${identity}`;
  return [
    { row, kind, identity, definition: definition ?? '' },
    // A column has grants but no owner of its own.
    ...(owner === null || kind === 'column' ? [] : [{ row, kind: 'owner', identity: name, definition: owner }]),
    ...(privileges === null ? [] : [{ row, kind: 'privileges', identity: name, definition: privileges }]),
  ];
}

function asEntry({ row, kind, identity, definition }: InventoryFact): InventoryEntry {
  return [kind, identity, kind === row.kind ? definitionDigest(definition) : digest(definition)];
}

/**
 * The digest of a definition, equal for what a restore may only say in another way.
 *
 * The server shows `x IN ('a', 'b')` of a varchar with one cast of the array; restored from that text it shows a cast of
 * each value. So casts, parentheses and blanks do not count: a definition that differs in nothing else counts as equal.
 * What must count letter by letter (bodies of functions, labels, comments) comes as a hash or in hexadecimal.
 */
export function definitionDigest(definition: string): string {
  return digest(definition.replaceAll(QUOTED_OR_LOOSE, '$1'));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);
}

function inOrder(one: InventoryEntry, other: InventoryEntry): number {
  return compare(one[0], other[0]) || compare(one[1], other[1]);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
