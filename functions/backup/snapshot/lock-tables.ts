// Takes over pg_dump's locks: from here on nobody can truncate, rewrite or drop a table that the snapshot reads.
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { LOCK_NOT_AVAILABLE, sqlState, UNDEFINED_TABLE } from '../../shared/postgres-errors.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';

/** Tables in one LOCK statement: few round trips, and a statement that the server's log can still show. */
const TABLES_PER_STATEMENT = 200;

interface NamedTable {
  schema: string;
  name: string;
}

/**
 * Locks all tables in ACCESS SHARE mode for the session's transaction, within one deadline for all of them.
 *
 * Throws `backup.table_locked` when somebody has queued for a stronger lock in the meantime: it waits for pg_dump,
 * so only a fresh snapshot lets both go on.
 */
export async function lockTables(
  session: DatabaseSession,
  tables: readonly NamedTable[],
  { clock, withinMs, signal }: { clock: Clock; withinMs: number; signal: AbortSignal },
): Promise<void> {
  const until = clock.monotonicMs() + withinMs;
  for (let from = 0; from < tables.length; from += TABLES_PER_STATEMENT) {
    signal.throwIfAborted();
    const some = tables.slice(from, from + TABLES_PER_STATEMENT);
    const names = some.map(({ schema, name }) => `only ${quoteQualified(schema, name)}`);
    // 0 would mean no limit.
    const left = Math.max(1, Math.round(until - clock.monotonicMs()));
    await session.query(`set local lock_timeout = ${left}`);
    try {
      await session.query(`lock table ${names.join(', ')} in access share mode`);
    } catch (error) {
      const state = sqlState(error);
      // pg_dump may have ended before this (there was so little data), and then a table can be dropped.
      if (state !== LOCK_NOT_AVAILABLE && state !== UNDEFINED_TABLE) throw error;
      throw new JobFailure({
        code: 'backup.table_locked',
        problem: `the lock on one of ${some.length} tables from ${names[0]?.slice(5) ?? ''} on could not be had (allowed: ${withinMs} ms for all): ${describeError(error)}`,
        safeState: 'No backup was recorded',
        hint: 'look in pg_stat_activity for an ALTER, DROP, TRUNCATE or LOCK TABLE that waits or runs at this time, and let it end first',
        cause: error,
      });
    }
  }
  await session.query('set local lock_timeout = 0');
}
