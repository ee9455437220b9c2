// What a statement did, told from the catalog, the statistics and the locks before and after it.
import type { DatabaseSession } from '../../shared/database.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { RehearsedStatement } from './contract.ts';

export interface RelationFact {
  readonly name: string;
  /** As pg_class has it. */
  readonly kind: string;
  readonly file: number;
  /** Of an index: its table. */
  readonly indexed: number | null;
  /** Since the transaction began, or since ever. */
  readonly read: number;
  readonly inserted: number;
  readonly changed: number;
}

export type RelationFacts = ReadonlyMap<number, RelationFact>;

/** One of a relation and a mode, as text that can be compared. */
export type HeldLocks = ReadonlyMap<string, { oid: number; mode: string }>;

export type Observed = Pick<RehearsedStatement, 'locks' | 'rewritten' | 'indexesBuilt' | 'scanned' | 'changed'>;

type FactRow = Record<'oid' | 'name' | 'kind' | 'file' | 'read' | 'inserted' | 'changed', string> & {
  indexed: string | null;
};

/** `transaction`: figures of this one only, so it must be asked within; `ever`: of all that the server has counted. */
export async function readFacts(session: DatabaseSession, since: 'transaction' | 'ever'): Promise<RelationFacts> {
  const file = since === 'transaction' ? 'migrate/relation-facts.sql' : 'migrate/relation-totals.sql';
  const { rows } = await session.query<FactRow>(readSqlFile(file));
  return new Map(
    rows.map(({ oid, name, kind, file: node, indexed, read, inserted, changed }) => [
      Number(oid),
      {
        name,
        kind,
        file: Number(node),
        indexed: indexed === null ? null : Number(indexed),
        read: Number(read),
        inserted: Number(inserted),
        changed: Number(changed),
      },
    ]),
  );
}

/** The locks of a session, asked from any session of the same database. */
export async function readLocks(session: DatabaseSession, processId: number): Promise<HeldLocks> {
  const { rows } = await session.query<{ oid: string; mode: string }>(readSqlFile('migrate/session-locks.sql'), [
    processId,
  ]);
  return new Map(rows.map(({ oid, mode }) => [`${oid} ${mode}`, { oid: Number(oid), mode }]));
}

/** Relations that have rows or are locked in their own name; an index is locked with its table. */
const LOCKED_KINDS: ReadonlySet<string> = new Set(['r', 'p', 'm', 'v', 'f', 'S']);
const KINDS_WITH_ROWS: ReadonlySet<string> = new Set(['r', 'm']);

/**
 * The differences; relations by the name that they had before, and only those of `known`, from when the file began.
 *
 * `locks`: those that are new; null where nobody could look. `isTruncate`: TRUNCATE gives a new file too, but writes no row.
 */
export function observe(
  known: RelationFacts,
  before: RelationFacts,
  after: RelationFacts,
  {
    locks,
    rowsInCopy,
    isTruncate,
  }: { locks: HeldLocks | null; rowsInCopy: (oid: number) => number; isTruncate: boolean },
): Observed {
  const rewritten: Observed['rewritten'] = [];
  const indexesBuilt: Observed['indexesBuilt'] = [];
  const scanned: Observed['scanned'] = [];
  const changed: Observed['changed'] = [];
  for (const [oid, now] of after) {
    const was = before.get(oid);
    const hasNewFile = now.file !== 0 && was?.file !== now.file && !isTruncate;
    const table = now.indexed === null || !known.has(now.indexed) ? undefined : before.get(now.indexed);
    if (hasNewFile && table !== undefined) indexesBuilt.push({ index: now.name, table: table.name });
    if (!KINDS_WITH_ROWS.has(now.kind)) continue;
    if (hasNewFile && was !== undefined && known.has(oid)) rewritten.push(was.name);
    const name = was?.name ?? now.name;
    const tuples = now.read - (was?.read ?? 0);
    const rows = rowsInCopy(oid);
    if (tuples > 0) scanned.push({ table: name, tuples, passes: rows > 0 ? tuples / rows : null });
    const touched = now.inserted + now.changed - (was === undefined ? 0 : was.inserted + was.changed);
    // A rewrite counts its rows as inserted.
    if (touched > 0 && !hasNewFile) changed.push({ table: name, rows: touched });
  }
  return { rewritten, indexesBuilt, scanned, changed, locks: locks === null ? null : namesOf(locks, known, before) };
}

function namesOf(locks: HeldLocks, known: RelationFacts, before: RelationFacts): { mode: string; table: string }[] {
  return [...locks.values()]
    .flatMap(({ oid, mode }) => {
      const relation = known.has(oid) ? (before.get(oid) ?? known.get(oid)) : undefined;
      return relation !== undefined && LOCKED_KINDS.has(relation.kind) ? [{ mode, table: relation.name }] : [];
    })
    .toSorted((one, other) => (`${one.table} ${one.mode}` < `${other.table} ${other.mode}` ? -1 : 1));
}

/** The locks of `after` that are not in `before`. */
export function newLocks(before: HeldLocks, after: HeldLocks): HeldLocks {
  return new Map([...after].filter(([key]) => !before.has(key)));
}
