// Which steps of a restore are done, as its target itself records it. A step and its record commit together.
import type { DatabaseSession } from '../database.ts';
import { JobFailure } from '../job-failure.ts';
import { sqlState, UNIQUE_VIOLATION } from '../postgres-errors.ts';
import { readSqlFile } from '../sql-files.ts';

/** What the records of a target belong to: another backup or selection must not go on with them. */
export interface RestoreIdentity {
  backupId: string;
  /** Selection and number of sessions in words; equal for equal ones. */
  selection: string;
}

export interface RestoreRecords {
  /** Names of steps. */
  done: Set<string>;
  /** Dump IDs of the entries that were left out. */
  leftOut: number[];
}

/** Makes the records, or finds those of the same restore; throws `restore.target_not_empty` for those of another. */
export async function beginRecords(session: DatabaseSession, identity: RestoreIdentity): Promise<RestoreRecords> {
  await session.query('begin');
  // Sent again only where they are missing: a role that goes on with a restore may not be the one that made the schema.
  if (!(await hasRecords(session))) await session.query(readSqlFile('restore/prepare.sql'));
  if (!(await isKnown(session, identity))) {
    await session.query('insert into nightshift_restore.restore (backup_id, selection) values ($1, $2)', [
      identity.backupId,
      identity.selection,
    ]);
  }
  const records = await readRecords(session);
  await session.query('commit');
  return records;
}

/** What is done by now. */
export async function readRecords(session: DatabaseSession): Promise<RestoreRecords> {
  const { rows: steps } = await session.query<{ name: string; dump_id: number | null }>(
    readSqlFile('restore/steps.sql'),
  );
  return {
    done: new Set(steps.map(({ name }) => name)),
    leftOut: steps.flatMap(({ dump_id: dumpId }) => dumpId ?? []),
  };
}

/** Whether the records, which are there, belong to this restore; throws `restore.target_not_empty` for those of another. */
async function isKnown(session: DatabaseSession, identity: RestoreIdentity): Promise<boolean> {
  const { rows } = await session.query<{ backup_id: string; selection: string }>(
    'select backup_id, selection from nightshift_restore.restore',
  );
  const [known] = rows;
  if (known !== undefined && (known.backup_id !== identity.backupId || known.selection !== identity.selection)) {
    throw new JobFailure({
      code: 'restore.target_not_empty',
      problem: `the target holds a restore of backup ${known.backup_id} (${known.selection}) that was not ended; it cannot go on with backup ${identity.backupId} (${identity.selection})`,
      safeState: 'Nothing was changed',
      hint: 'go on with the backup, the selection and --jobs of that restore, give it up by `drop schema nightshift_restore cascade` in the target, or restore into an empty database',
    });
  }
  return known !== undefined;
}

/** Whether a restore would go on with records that are there; throws as beginRecords would. Changes nothing. */
export async function wouldGoOn(session: DatabaseSession, identity: RestoreIdentity): Promise<boolean> {
  return (await hasRecords(session)) && (await isKnown(session, identity));
}

/** What was left out, in words, in the order of the archive. */
export async function readLeftOut(session: DatabaseSession): Promise<string[]> {
  const { rows } = await session.query<{ left_out: string }>(
    'select left_out from nightshift_restore.step where left_out is not null order by ended_at, name',
  );
  return rows.map(({ left_out: words }) => words);
}

/** Whether the target holds the records of a restore that was not ended. */
export async function hasRecords(session: DatabaseSession): Promise<boolean> {
  const { rows } = await session.query<{ found: boolean }>(
    "select to_regclass('nightshift_restore.step') is not null as found",
  );
  return rows[0]?.found === true;
}

/**
 * Records a step in the open transaction, before its work; false when another session has done it meanwhile.
 *
 * While another session is at it, this waits for that session: then it is done, or this one may do it. After false the
 * transaction is of no use and must be rolled back.
 */
export async function recordStep(session: DatabaseSession, name: string): Promise<boolean> {
  try {
    await session.query('insert into nightshift_restore.step (name) values ($1)', [name]);
    return true;
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION) return false;
    throw error;
  }
}

/** Removes the records: the restore is complete. */
export async function dropRecords(session: DatabaseSession): Promise<void> {
  await session.query('drop schema nightshift_restore cascade');
}
