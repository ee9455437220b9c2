// Makes the roles that a backup names on a drill target of its own, so that ownership and grants can be restored there.
import type { DatabaseSession } from '../shared/database.ts';
import type { DrillFinding } from '../shared/drill-record.ts';
import { describeError } from '../shared/job-failure.ts';
import { sqlState } from '../shared/postgres-errors.ts';
import { quoteIdentifier } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

/**
 * Makes those that are missing, without login, and makes the administrator a member of those that are no superusers.
 *
 * The answer are the lacks with what has become of each role. The roles stay: the next drill needs them again.
 */
export async function makeRoles(
  session: DatabaseSession,
  roles: readonly string[],
  lacks: readonly DrillFinding[],
): Promise<DrillFinding[]> {
  const found: DrillFinding[] = [];
  for (const lack of lacks) {
    const role = roles.find((name) => lack.what === `role "${name}"`);
    if (role === undefined) {
      found.push(lack);
      continue;
    }
    try {
      await session.query(`create role ${quoteIdentifier(role)} nologin`);
      found.push({ what: lack.what, problem: 'the drill target did not have it: it was made there, without login' });
    } catch (error) {
      // Reserved names (rds…, pg_…), or an administrator without CREATEROLE: what needs it is named by the restore.
      if (sqlState(error) === undefined) throw error;
      found.push({
        what: lack.what,
        problem: `the drill target does not have it, and it could not be made: ${describeError(error)}`,
      });
    }
  }
  const { rows } = await session.query<{ name: string }>(readSqlFile('restore-drill/roles-to-join.sql'), [roles]);
  for (const { name } of rows) await session.query(`grant ${quoteIdentifier(name)} to current_user`);
  return found;
}
