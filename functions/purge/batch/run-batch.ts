// One batch in one transaction: holds, rows, what goes with them, progress. Nothing of it stays when it fails.
import type { DatabaseSession } from '../../shared/database.ts';
import {
  DEADLOCK_DETECTED,
  FOREIGN_KEY_VIOLATION,
  LOCK_NOT_AVAILABLE,
  SERIALIZATION_FAILURE,
  sqlState,
} from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { inTransaction } from '../in-transaction.ts';
import type { HoldsInPlay } from '../keep/held-condition.ts';
import { countWaiters } from '../pressure/count-waiters.ts';
import { requireRecord } from '../state/run-state.ts';
import { storedCursor } from './cursor.ts';
import { RESTRICT_VIOLATION, type RemovedRows, removeRows } from './remove-rows.ts';
import { rowSetOf, type SetRow } from './row-set.ts';
import type { Position, RowWork } from './row-work.ts';
import { type Choice, hasParts, takeStatement } from './statements.ts';

/** How long a batch waits for a row that somebody has locked before it locks first and passes over it. */
const MET_LOCK_MS = 50;
/** Each needs another old row that moves to another partition in the milliseconds of a batch. */
const MOVED_ATTEMPTS = 5;

export interface BatchRequest {
  readonly after: Position | undefined;
  readonly waits: boolean;
  readonly limit: number;
  /** Whether rows are locked before they are deleted, where both ways would do. */
  readonly locksFirst: boolean;
  /** Of the run so far: the record of a batch holds the totals. */
  readonly children: RemovedRows['children'];
  readonly runId: string;
  /** Whether to look who waits for the locks of this batch. */
  readonly looksForWaiters: boolean;
  /** Reads the holds of now, in the transaction. */
  readHolds(): Promise<HoldsInPlay>;
}

/** `done` and `children` are counted as the run counts them; `removed` are the rows of the table itself. */
export interface BatchOutcome extends RemovedRows {
  /** Somebody had a row locked that was to be deleted at once. */
  readonly metLock: boolean;
  readonly removed: number;
  /** Rows that were chosen. */
  readonly chosen: number;
  readonly position: Position;
  readonly waiters: number;
}

/** The outcome of a batch, or undefined when no row is left after the position. */
export async function runBatch(
  session: DatabaseSession,
  work: RowWork,
  request: BatchRequest,
): Promise<BatchOutcome | undefined> {
  try {
    return await lookAgainWhenMoved(async () => await tryBatch(session, work, request));
  } catch (error) {
    const state = sqlState(error);
    if (!request.waits || (state !== LOCK_NOT_AVAILABLE && state !== DEADLOCK_DETECTED)) throw error;
    // Somebody keeps a row of this batch locked: take the others, the count at the end names what is left.
    return await lookAgainWhenMoved(async () => await tryBatch(session, work, { ...request, waits: false }));
  }
}

/** The server cannot follow a row to another partition; whoever looks anew finds it there, if it still is past retention. */
async function lookAgainWhenMoved<T>(tryOnce: () => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt < MOVED_ATTEMPTS; attempt += 1) {
    try {
      return await tryOnce();
    } catch (error) {
      if (sqlState(error) !== SERIALIZATION_FAILURE) throw error;
    }
  }
  return await tryOnce();
}

async function tryBatch(
  session: DatabaseSession,
  work: RowWork,
  request: BatchRequest,
): Promise<BatchOutcome | undefined> {
  const isPlainBatch = isPlain(work);
  const deletesAtOnce = isPlainBatch && !request.locksFirst && !request.waits;
  // Within the savepoint: what comes after a rollback to it waits as long as ever.
  const limit = deletesAtOnce ? `set local lock_timeout = ${MET_LOCK_MS}` : '';
  return await inTransaction(session, `begin;\n${readSqlFile('purge/open-batch.sql')}${limit}`, async () => {
    const holds = await request.readHolds();
    const choice: Choice = { ...request, holds };
    const removed = isPlainBatch
      ? await deletePlain(session, work, choice, deletesAtOnce)
      : await chooseAndRemove(session, work, choice);
    if (removed === undefined) return undefined;
    const outcome = asCounted(work, removed);
    const children = totals(request.children, outcome.children);
    const cursor = storedCursor(work, outcome.position);
    const recorded = await session.query(readSqlFile('purge/record-batch.sql'), [
      request.runId,
      outcome.done,
      cursor.timestamp,
      cursor.key,
      JSON.stringify(Object.fromEntries(children)),
      request.limit,
    ]);
    // Rolls the batch back: rows that no record counts must not be gone.
    requireRecord(request.runId, recorded.rowCount);
    const waiters = request.looksForWaiters ? await countWaiters(session) : 0;
    return { ...outcome, waiters };
  });
}

/** Whether nothing has to be looked at between choosing and deleting. */
function isPlain(work: RowWork): boolean {
  const { children, selfLinks } = work.family.top;
  const isAlone = children.length === 0 && selfLinks.length === 0;
  return work.action === 'delete' && work.archive === undefined && isAlone && !hasParts(work.table);
}

type Removed = Omit<BatchOutcome, 'waiters' | 'removed'>;

function asCounted(work: RowWork, outcome: Removed): Omit<BatchOutcome, 'waiters'> {
  const { done } = outcome;
  if (work.countsAs === 'rows') return { ...outcome, removed: done };
  const own = { deleted: work.action === 'delete' ? done : 0, changed: work.action === 'delete' ? 0 : done };
  return {
    ...outcome,
    removed: done,
    done: 0,
    children: totals(outcome.children, new Map([[work.table.label, own]])),
  };
}

async function deletePlain(
  session: DatabaseSession,
  work: RowWork,
  choice: Choice,
  atOnce: boolean,
): Promise<Removed | undefined> {
  let metLock = false;
  try {
    const deleted = atOnce ? await deleteNext(session, work, choice, 'delete') : undefined;
    // None may mean that a trigger has kept them all: only the exact way tells the end.
    return deleted ?? (await deleteNext(session, work, choice, 'lock and delete'));
  } catch (error) {
    const state = sqlState(error);
    metLock = atOnce && state === LOCK_NOT_AVAILABLE;
    if (!metLock && state !== FOREIGN_KEY_VIOLATION && state !== RESTRICT_VIOLATION) throw error;
  }
  // Which row it was that somebody has locked, or has come to reference in between, shows when they are locked first.
  await session.query('rollback to savepoint chosen');
  const removed = await chooseAndRemove(session, work, choice);
  return removed && { ...removed, metLock };
}

async function deleteNext(
  session: DatabaseSession,
  work: RowWork,
  choice: Choice,
  taking: 'delete' | 'lock and delete',
): Promise<Removed | undefined> {
  const { sql, values } = takeStatement(work, choice, taking);
  const { rows } = await session.query<{ rows?: number; done: number } & Record<string, unknown>>(sql, values);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { done, rows: chosen = done } = row;
  const position = positionOf(work, row);
  return { chosen, done, children: new Map(), referenced: 0, held: 0, other: chosen - done, position, metLock: false };
}

async function chooseAndRemove(session: DatabaseSession, work: RowWork, choice: Choice): Promise<Removed | undefined> {
  const { sql, values } = takeStatement(work, choice, 'lock');
  const { rows } = await session.query<SetRow & Record<string, unknown>>(sql, values);
  const [row] = rows;
  if (row === undefined) return undefined;
  const set = rowSetOf(row);
  const removed = await removeRows(session, work, choice.holds, set);
  return { ...removed, chosen: set.rows, position: positionOf(work, row), metLock: false };
}

function positionOf(work: RowWork, row: Readonly<Record<string, unknown>>): Position {
  return work.order.map((_, index) => {
    const value = row[`p${index + 1}`];
    return typeof value === 'string' ? value : '';
  });
}

/** The counts of a run with those of one more batch. */
export function totals(known: RemovedRows['children'], more: RemovedRows['children']): RemovedRows['children'] {
  const children = new Map(known);
  for (const [table, { deleted, changed }] of more) {
    const before = children.get(table) ?? { deleted: 0, changed: 0 };
    children.set(table, { deleted: before.deleted + deleted, changed: before.changed + changed });
  }
  return children;
}
