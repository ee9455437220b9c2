// Reads what the server and the administrator are, and refuses before anything is changed when that cannot do.
import type { DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import { readSqlFile } from '../shared/sql-files.ts';

/** A row of sql/roles/server.sql. */
export interface ServerFacts {
  version_number: number;
  version: string;
  administrator: string;
  is_superuser: boolean;
  may_create_roles: boolean;
  database: string;
  database_owner: string;
  has_schema: boolean;
  schema_owner: string | null;
}

const OLDEST_VERSION = 140_000;

/** The facts; throws `bootstrap.refused` for an old server or an administrator that may not create roles. */
export async function checkAdministrator(session: DatabaseSession): Promise<ServerFacts> {
  const { rows } = await session.query<ServerFacts>(readSqlFile('roles/server.sql'));
  const facts = rows[0];
  if (!facts) throw new TypeError('sql/roles/server.sql returned no row');
  if (facts.version_number < OLDEST_VERSION) {
    throw refused(`the server is PostgreSQL ${facts.version}, it must be 14 or newer`, 'upgrade the server');
  }
  if (!facts.is_superuser && !facts.may_create_roles) {
    throw refused(
      `role "${facts.administrator}" of ADMIN_SECRET_ARN may not create roles`,
      'use the master user of the instance (rds_superuser), or a role with CREATEROLE',
    );
  }
  return facts;
}

function refused(problem: string, hint: string): JobFailure {
  return new JobFailure({ code: 'bootstrap.refused', problem, safeState: 'Nothing was changed', hint });
}
