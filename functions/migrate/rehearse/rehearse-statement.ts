// Rehearses one statement on the copy: within a transaction, or alone while a second session looks at its locks.
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { runStatement } from '../scratch/run-script.ts';
import type { Scratch } from '../scratch/scratch-server.ts';
import type { RehearsedStatement } from './contract.ts';
import { expectedSeconds, type Scale } from './expected-seconds.ts';
import { type HeldLocks, newLocks, observe, type RelationFacts, readFacts, readLocks } from './statement-facts.ts';

export interface StatementRehearsal {
  scratch: Scratch;
  session: DatabaseSession;
  clock: Clock;
  statement: MigrationStatement;
  unit: string;
  /** What was there when the file began. */
  known: RelationFacts;
  scale: Scale;
}

/** Statements whose plan would be another on a large table: on the copy the server reads even one row by a full scan. */
const PLANNED: ReadonlySet<string> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'SelectStmt']);
/** A lock that is held for less than this may not be seen. */
const LOOK_EVERY_MS = 1;
/** Until here every wait has begun; a statement that needs longer is not kept waiting for it. */
const MOST_HOLD_MS = 2_000;

/** In the caller's transaction, which a problem leaves as it was before the statement. */
export async function rehearseInTransaction(rehearsal: StatementRehearsal): Promise<RehearsedStatement> {
  const { scratch, session, clock, statement } = rehearsal;
  const isPlanned = Object.keys(statement.tree).some((kind) => PLANNED.has(kind));
  const before = await readFacts(session, 'transaction');
  const held = await readLocks(session, session.processId);
  // Without compilation, which the price of a forbidden scan would set off.
  if (isPlanned) await session.query('set local enable_seqscan = off; set local jit = off');
  const startedMs = clock.monotonicMs();
  const problem = await runStatement(scratch, session, statement, true);
  const ms = clock.monotonicMs() - startedMs;
  if (isPlanned) await session.query('set local enable_seqscan to default; set local jit to default');
  const after = await readFacts(session, 'transaction');
  const locks = newLocks(held, await readLocks(session, session.processId));
  return conclude(rehearsal, { before, after, locks, problem, ms });
}

/**
 * Outside of a transaction, for what cannot run in one.
 *
 * A second session holds a lock on every table, as a writer or another VACUUM would, until it sees the statement wait for it:
 * so long its locks can be looked at. `locks` is null when the statement was over before a look.
 */
export async function rehearseAlone(rehearsal: StatementRehearsal): Promise<RehearsedStatement> {
  const { scratch, session, clock } = rehearsal;
  await flushStatistics(session, clock);
  const before = await readFacts(session, 'ever');
  const second = scratch.database.inDatabase(scratch.name);
  try {
    const watched = await second.withSession(async (writer) => await runWatched(rehearsal, before, writer));
    await flushStatistics(session, clock);
    return conclude(rehearsal, { ...watched, before, after: await readFacts(session, 'ever') });
  } finally {
    await second.close();
  }
}

async function runWatched(
  { scratch, session, clock, statement, unit }: StatementRehearsal,
  facts: RelationFacts,
  writer: DatabaseSession,
): Promise<Pick<Seen, 'locks' | 'problem' | 'ms'>> {
  await holdTables(writer, facts, unit === 'vacuum' ? 'share update exclusive' : 'row exclusive');
  const startedMs = clock.monotonicMs();
  let waitedMs = 0;
  const over = new AbortController();
  const running = runStatement(scratch, session, statement, false).finally(() => over.abort());
  // Its failure is thrown below; when a look fails first, nobody waits for it any more.
  running.catch(() => {});
  const seen = new Map<string, { oid: number; mode: string }>();
  let isHolding = true;
  while (!over.signal.aborted) {
    const { locks, isWaiting } = await lookAt(writer, session.processId);
    for (const [key, lock] of locks) seen.set(key, lock);
    if (isHolding && (isWaiting || clock.monotonicMs() - startedMs > MOST_HOLD_MS)) {
      await writer.query('rollback');
      waitedMs = clock.monotonicMs() - startedMs;
      isHolding = false;
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
  if (isHolding) await writer.query('rollback');
  const problem = await running;
  const ms = clock.monotonicMs() - startedMs - waitedMs;
  return { locks: seen.size > 0 ? seen : null, problem, ms };
}

async function holdTables(writer: DatabaseSession, facts: RelationFacts, mode: string): Promise<void> {
  const tables = [...facts.values()].filter(({ kind }) => kind === 'r' || kind === 'p').map(({ name }) => name);
  await writer.query('begin');
  if (tables.length > 0) await writer.query(`lock table only ${tables.join(', only ')} in ${mode} mode`);
}

async function lookAt(writer: DatabaseSession, processId: number): Promise<{ locks: HeldLocks; isWaiting: boolean }> {
  // In this order: once it waits, all its locks are there to be read.
  const { rowCount } = await writer.query('select from pg_catalog.pg_locks where pid = $1 and not granted limit 1', [
    processId,
  ]);
  return { locks: await readLocks(writer, processId), isWaiting: rowCount > 0 };
}

/** Counted rows come a moment after the transaction: since PostgreSQL 15 when asked for, before that within half a second. */
async function flushStatistics(session: DatabaseSession, clock: Clock): Promise<void> {
  const { rows } = await session.query<{ able: boolean }>(
    "select to_regprocedure('pg_catalog.pg_stat_force_next_flush()') is not null as able",
  );
  if (rows[0]?.able === true) await session.query('select pg_catalog.pg_stat_force_next_flush()');
  else {
    await clock.sleep(1_000);
    await session.query('select 1');
  }
}

interface Seen {
  before: RelationFacts;
  after: RelationFacts;
  locks: HeldLocks | null;
  problem: string | undefined;
  ms: number;
}

function conclude(rehearsal: StatementRehearsal, { before, after, locks, problem, ms }: Seen): RehearsedStatement {
  const { statement, unit, known, scale } = rehearsal;
  const isTruncate = 'TruncateStmt' in statement.tree;
  const observed = observe(known, before, after, { locks, rowsInCopy: scale.rowsInCopy, isTruncate });
  const { number, line, firstLine } = statement;
  return {
    number,
    line,
    firstLine,
    unit,
    problem: problem ?? null,
    ...observed,
    ms: Math.round(ms * 10) / 10,
    expectedSeconds: problem === undefined ? expectedSeconds(observed, before, scale) : null,
  };
}
