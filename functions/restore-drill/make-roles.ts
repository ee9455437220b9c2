// Makes the roles that a backup names on a drill target of its own, so that ownership and grants can be restored there.
import type { DatabaseSession } from '../shared/database.ts';
import type { DrillFinding } from '../shared/drill-record.ts';
import { describeError } from '../shared/job-failure.ts';
import { sqlState } from '../shared/postgres-errors.ts';
import { quoteIdentifier } from '../shared/quote-identifier.ts';
import { readSqlFile } from '../shared/sql-files.ts';

interface MadeRoles {
  /** What the server still lacks. */
  lacks: DrillFinding[];
  /** What it lacked before: for information. */
  mended: DrillFinding[];
}

/**
 * Makes those that are missing, without login, and makes the administrator a member of all of them.
 *
 * The roles stay: the next drill needs them again.
 */
export async function makeRoles(
  session: DatabaseSession,
  roles: readonly string[],
  lacks: readonly DrillFinding[],
): Promise<MadeRoles> {
  const made: MadeRoles = { lacks: [], mended: [] };
  for (const lack of lacks) {
    const role = roles.find((name) => lack.what === `role "${name}"`);
    // Reserved names (rds…, pg_…), or an administrator without CREATEROLE: what needs it is named by the restore.
    const problem =
      role === undefined ? lack.problem : await refusalOf(session, `create role ${quoteIdentifier(role)} nologin`);
    if (problem === undefined) {
      made.mended.push({
        what: lack.what,
        problem: 'the drill target did not have it: it was made there, without login',
      });
    } else if (role === undefined) made.lacks.push(lack);
    else {
      made.lacks.push({
        what: lack.what,
        problem: `the drill target does not have it, and it could not be made: ${problem}`,
      });
    }
  }
  const { rows } = await session.query<{ name: string; is_superuser: boolean }>(
    readSqlFile('restore-drill/roles-to-join.sql'),
    [roles],
  );
  for (const { name, is_superuser: isSuperuser } of rows) {
    const problem = isSuperuser
      ? 'it is a superuser of the drill target and the administrator is none, so what it owns cannot be restored'
      : await refusalOf(session, `grant ${quoteIdentifier(name)} to current_user`);
    if (problem !== undefined) made.lacks.push({ what: `role "${name}" for its administrator`, problem });
  }
  return made;
}

/** Why the server refuses the statement, or undefined when it was carried out. */
async function refusalOf(session: DatabaseSession, statement: string): Promise<string | undefined> {
  try {
    await session.query(statement);
    return undefined;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return describeError(error);
  }
}
