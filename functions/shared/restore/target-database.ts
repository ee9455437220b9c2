// Looks at the database to restore into: is it empty, and which server is it on.
import type { DatabaseSession } from '../database.ts';
import { JobFailure } from '../job-failure.ts';
import { readSqlFile } from '../sql-files.ts';
import { hasRecords } from './restore-records.ts';

/** Throws `restore.target_not_empty` for a database that holds anything but an earlier part of a restore. */
export async function refuseNonEmpty(session: DatabaseSession, allowNonEmpty: boolean): Promise<void> {
  if (allowNonEmpty || (await hasRecords(session))) return;
  const { rows } = await session.query<{ name: string; total: number }>(readSqlFile('restore/user-objects.sql'));
  const [first] = rows;
  if (first === undefined) return;
  throw new JobFailure({
    code: 'restore.target_not_empty',
    problem: `the target holds ${first.total} objects already: ${rows.map(({ name }) => name).join(', ')}${first.total > rows.length ? ' …' : ''}; it must be empty`,
    safeState: 'Nothing was changed',
    hint: 'restore into a new database (--create), or say --allow-non-empty when what is there is meant to stay',
  });
}

/** Major version of the server. */
export async function readServerMajor(session: DatabaseSession): Promise<number> {
  const { rows } = await session.query<{ server_version_num: string }>('show server_version_num');
  return Math.trunc(Number(rows[0]?.server_version_num) / 10_000);
}
