// Reads the migration history, or says that bootstrap has not been here.
import type { DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { type AppliedMigration, readHistory } from '../shared/migration-history.ts';

/** The applied application migrations; throws `migrate.no_history` on a database without schema nightshift. */
export async function requireHistory(session: DatabaseSession): Promise<AppliedMigration[]> {
  const history = await readHistory(session, 'application');
  if (history) return history;
  const { rows } = await session.query<{ name: string }>('select current_database() as name');
  throw new JobFailure({
    code: 'migrate.no_history',
    problem: `database "${rows[0]?.name ?? ''}" has no table nightshift.migration`,
    safeState: 'No migration was run',
    hint: 'run bootstrap: it makes schema nightshift and the roles',
  });
}
