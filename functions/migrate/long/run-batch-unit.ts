// One UPDATE or DELETE in batches of rows, each a transaction of its own that also moves the cursor: whoever is killed loses one
// batch at the most, and the next run goes on behind the cursor.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { BatchHeader } from '../../shared/migration-header.ts';
import { scriptOf } from '../../shared/migration-run.ts';
import type { MigrationStatement } from '../../shared/migration-statements.ts';
import { recordSteps, runStatement } from '../../shared/migration-steps.ts';
import { overtaken } from '../../shared/overtaken-run.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { mayTryAgain } from '../engine/lock-retry.ts';
import { moveHistory } from '../engine/move-history.ts';
import { type FilePart, recordFailure } from '../engine/run-transaction-unit.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { type BatchStatement, batchStatement } from './batch-statement.ts';
import { LeftRunning } from './left-running.ts';
import { readLongStep } from './long-step.ts';
import { beginStep } from './run-long-unit.ts';

/** The part of a batch's time that is left to others after it: vacuum, replicas and the application come first. */
const PAUSE_PART = 0.2;

const BEFORE_THE_FIRST = Symbol('before the first row');

interface BatchUnit {
  readonly batch: BatchHeader;
  readonly statement: MigrationStatement;
}

/** Done and recorded when it returns; throws LeftRunning when the next run must go on. */
export async function runBatchUnit(
  context: MigrateContext,
  session: DatabaseSession,
  part: FilePart,
  { batch, statement }: BatchUnit,
): Promise<void> {
  const { migration, direction, run } = part;
  const script = scriptOf(migration, direction);
  const startedAt = context.clock.now();
  await session.query('reset search_path');
  const parts = await batchStatement(`${script.file}:${statement.line}:${statement.column}`, statement, batch);
  const column = await readColumn(session, parts, `${script.file}:${batch.line}`);
  // Rows that come later are made by whoever knows the new rule; without an end a busy table would never be done.
  const { rows } = await session.query<{ last: string | null }>(
    `select max(${columnOf(parts)})::text as last from ${parts.table}`,
  );
  await beginStep(context, session, part, {
    operation: 'batches',
    statement,
    before: { last: rows[0]?.last ?? null, rows: Math.max(0, Math.round(column.estimated_rows)) },
  });
  const begun = await readLongStep(session);
  const last = begun?.catalog_before['last'];
  // Without a row there is no last one, and nothing to do.
  let cursor = typeof last === 'string' ? (begun?.batch_cursor ?? BEFORE_THE_FIRST) : undefined;
  while (cursor !== undefined) {
    if (context.pause.aborted) throw new LeftRunning();
    const beganMs = context.clock.monotonicMs();
    cursor = await runBatch(context, session, part, {
      parts,
      statement,
      type: column.type,
      last: String(last),
      cursor,
    });
    const tookMs = context.clock.monotonicMs() - beganMs;
    await context.clock.sleep(tookMs * PAUSE_PART, context.pause).catch(() => {});
  }
  const durationMs = Math.round(context.clock.now().getTime() - startedAt.getTime());
  await context.database.withTransaction(async (other) => {
    await moveHistory(other, run, migration, direction, { from: statement.number - 1, to: statement.number });
    const step = { statement, startedAt, durationMs, lockWaitMs: null, retries: 0 };
    await recordSteps(other, run, migration, direction, [step], { durationMs });
    await other.query(readSqlFile('migrate/end-long-step.sql'), [migration.number]);
  });
}

interface Batch {
  readonly parts: BatchStatement;
  readonly statement: MigrationStatement;
  readonly type: string;
  readonly last: string;
  readonly cursor: string | typeof BEFORE_THE_FIRST;
}

/** Runs one batch with its cursor in one transaction; the new cursor, or undefined when no row is left. */
async function runBatch(
  context: MigrateContext,
  session: DatabaseSession,
  part: FilePart,
  { parts, statement, type, last, cursor }: Batch,
): Promise<string | undefined> {
  const { migration, direction, run } = part;
  const script = scriptOf(migration, direction);
  const limitMs = script.header.statementTimeoutMs;
  const isFirst = cursor === BEFORE_THE_FIRST;
  const from = isFirst ? [] : [cursor];
  const found = await session.query<{ last: string | null }>(parts.nextEnd(type, isFirst), [last, ...from]);
  const end = found.rows[0]?.last ?? undefined;
  if (end === undefined) return undefined;
  const text = parts.textOf(type, isFirst);
  for (let tries = 1; ; tries += 1) {
    await session.query(`begin${limitMs === undefined ? '' : `; set local statement_timeout = ${limitMs}`}`);
    let rowCount = 0;
    const counting: DatabaseSession = {
      ...session,
      query: async <Row extends object>(sql: string) => {
        const answer = await session.query<Row>(sql, [end, ...from]);
        rowCount = answer.rowCount;
        return answer;
      },
    };
    const outcome = await runStatement(counting, run, script, { ...statement, text }, BATCHES_STAY);
    if (outcome.ok) {
      const moved = await session.query(readSqlFile('migrate/record-batch.sql'), [migration.number, end, rowCount]);
      if (moved.rowCount !== 1) {
        await session.query('rollback');
        throw overtaken(migration, 'is at work in another run, which has taken over its batches');
      }
      await session.query('commit');
      return end;
    }
    await session.query('rollback').catch(() => {});
    if (await mayTryAgain(context, script, outcome, tries)) continue;
    await recordFailure(context, session, part, outcome);
    throw outcome.failure;
  }
}

const BATCHES_STAY = 'The batches before this one stay; the next up or down goes on behind them';

async function readColumn(session: DatabaseSession, { table, column }: BatchStatement, where: string) {
  const { rows } = await session.query<{
    type: string;
    is_not_null: boolean;
    is_indexed: boolean;
    estimated_rows: number;
  }>(readSqlFile('migrate/batch-column.sql'), [table, column]);
  const [found] = rows;
  if (found?.is_not_null === true && found.is_indexed) return found;
  throw new JobFailure({
    code: 'migrate.files_wrong',
    problem: `${where}: ${table} cannot run in batches by "${column}": ${found === undefined ? 'it has no such column' : found.is_not_null ? 'no valid index begins with it' : 'it can be null'}`,
    safeState: 'This statement was not run',
    hint: 'name a column that is NOT NULL and the first of an index, as the primary key',
  });
}

function columnOf({ column }: BatchStatement): string {
  return `"${column.replaceAll('"', '""')}"`;
}
