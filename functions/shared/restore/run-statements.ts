// Sends the SQL of archive entries to the server, in their order, and records each in the same transaction.
import type { TocEntry } from '../archive-toc/toc-entry.ts';
import type { DatabaseSession } from '../database.ts';
import { describeError, JobFailure } from '../job-failure.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState } from '../postgres-errors.ts';
import { nameOfEntry } from './entry-kinds.ts';
import { recordStep } from './restore-records.ts';
import { stepOfEntry } from './restore-tasks.ts';

/** Statements in one transaction: each commit waits for a disk, and each table takes a lock until then. */
const ENTRIES_PER_TRANSACTION = 100;

/**
 * Kinds that a role without superuser may be refused (SQLSTATE 42501), and without which the rows are still all there. Where
 * the caller allows it they are left out, with what needs them, and named.
 */
const MAY_BE_FORBIDDEN: ReadonlySet<string> = new Set([
  'ACCESS METHOD',
  'CAST',
  'COMMENT',
  'DEFAULT ACL',
  'EVENT TRIGGER',
  'EXTENSION',
  'FOREIGN DATA WRAPPER',
  'FUNCTION',
  'OPERATOR CLASS',
  'OPERATOR FAMILY',
  'PROCEDURAL LANGUAGE',
  'PUBLICATION',
  'PUBLICATION TABLE',
  'PUBLICATION TABLES IN SCHEMA',
  'SECURITY LABEL',
  'SERVER',
  'SUBSCRIPTION',
  'TEXT SEARCH PARSER',
  'TEXT SEARCH TEMPLATE',
  'TRANSFORM',
  'USER MAPPING',
]);
/** A table that would be left out takes its rows with it: that is a failure. */
const NEVER_LEFT_OUT: ReadonlySet<string> = new Set(['TABLE', 'TABLE DATA', 'SEQUENCE', 'SEQUENCE SET']);

export interface StatementContext {
  backupId: string;
  /** By dump ID. */
  statements: ReadonlyMap<number, string>;
  /** Leave out what this role is not allowed to make, instead of failing. */
  skipForbidden: boolean;
  /** Dump IDs that were left out; grows. */
  leftOut: Set<number>;
  /** Whether the target still has its records: the last entries are made without them. */
  hasRecords: boolean;
  /** What was left out when there were no records any more, in words; grows. */
  lastWords: string[];
}

/** Runs those that are not done, in order; their steps are added to `done`. */
export async function runStatements(
  session: DatabaseSession,
  entries: readonly TocEntry[],
  done: Set<string>,
  context: StatementContext,
): Promise<void> {
  const open = entries.filter((entry) => !done.has(stepOfEntry(entry)));
  for (let from = 0; from < open.length; from += ENTRIES_PER_TRANSACTION) {
    const some = open.slice(from, from + ENTRIES_PER_TRANSACTION);
    await session.query('begin');
    for (const entry of some) {
      if (!(await recordStep(session, stepOfEntry(entry)))) throw otherRestore(context.backupId, entry);
      await runStatement(session, entry, context);
    }
    await session.query('commit');
    for (const entry of some) done.add(stepOfEntry(entry));
  }
}

/**
 * Runs one entry in the open transaction; throws `restore.statement_failed` naming it.
 *
 * With `andCommit` the commit goes in the same message, so that the server needs nothing more from here.
 */
export async function runStatement(
  session: DatabaseSession,
  entry: TocEntry,
  context: StatementContext,
  { andCommit = false } = {},
): Promise<void> {
  const { statements, skipForbidden, leftOut } = context;
  const commit = async () => {
    if (andCommit) await session.query('commit');
  };
  const needed = entry.dependencies.find((dumpId) => leftOut.has(dumpId));
  if (skipForbidden && needed !== undefined && !NEVER_LEFT_OUT.has(entry.desc)) {
    await leaveOut(session, entry, context, 'it needs what was left out');
    return await commit();
  }
  const sql = statements.get(entry.dumpId) ?? '';
  if (sql === '') return await commit();
  if (!(skipForbidden && MAY_BE_FORBIDDEN.has(entry.desc))) {
    try {
      await session.query(andCommit ? `${sql}\ncommit;` : sql);
    } catch (error) {
      throw explainSql(error, nameOfEntry(entry), context.backupId);
    }
    return;
  }
  await session.query('savepoint entry');
  try {
    await session.query(sql);
    await session.query('release savepoint entry');
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw explainSql(error, nameOfEntry(entry), context.backupId);
    await session.query('rollback to savepoint entry; release savepoint entry');
    await leaveOut(session, entry, context, describeError(error));
  }
  await commit();
}

async function leaveOut(
  session: DatabaseSession,
  entry: TocEntry,
  context: StatementContext,
  why: string,
): Promise<void> {
  const words = `${nameOfEntry(entry)}: ${why}`;
  context.leftOut.add(entry.dumpId);
  if (!context.hasRecords) context.lastWords.push(words);
  else
    await session.query('update nightshift_restore.step set left_out = $2 where name = $1', [
      stepOfEntry(entry),
      words,
    ]);
}

/** Classes of SQLSTATE that say something about the server or its use, not about the archive. */
const OF_THE_SERVER = /^(08|40|53|55|57|58|XX)/;

/** How the rows of a table are called in messages. */
export const COPY_INTO = 'COPY into ';

/** The failure of what the restore has sent; an error that says nothing about the archive is given back as it is. */
export function explainSql(error: unknown, what: string, backupId: string): unknown {
  const state = sqlState(error);
  if (state === undefined || OF_THE_SERVER.test(state)) return error;
  // Class 22 quotes the value that did not fit.
  const words = state.startsWith('22') ? 'a value did not fit' : describeError(error);
  return new JobFailure({
    code: 'restore.statement_failed',
    problem: `backup ${backupId} did not restore: ${what} failed (SQLSTATE ${state}): ${words}`,
    safeState: 'What was restored before it is in the target; the backup was not changed',
    hint:
      state.startsWith('23') && what.startsWith(COPY_INTO)
        ? 'the table holds such rows already, or has constraints that these do not meet; docs/restore.md says how to put back only what is missing'
        : 'a missing role, extension or right is a fault of the target: mend it and go on; anything else is one of the backup',
    cause: error,
  });
}

function otherRestore(backupId: string, entry: TocEntry): JobFailure {
  return new JobFailure({
    code: 'restore.target_busy',
    problem: `another restore into the same target has done ${nameOfEntry(entry)} of backup ${backupId} meanwhile`,
    safeState: 'Nothing is there twice',
    hint: 'let the other one end, or stop it, and start this one again',
  });
}

/** Whether a step may be tried again on a new session: the connection or a deadlock was to blame, not the step. */
export function mayRetry(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return /^(08|40)/.test(state) || state.startsWith('57P');
  return (
    error instanceof Error && /^(Connection terminated|Client has encountered a connection error)/.test(error.message)
  );
}
