// Makes schema nightshift in a scratch database, as bootstrap makes it in the live one: migrations write to it.
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { productFolder, readMigrations } from '../../shared/migration-files.ts';
import { splitMigration } from '../../shared/migration-statements.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { runScript } from './run-script.ts';
import type { Scratch } from './scratch-server.ts';

/** Throws `migrate.scratch_failed` when a file of the product does not run. */
export async function installNightshift(scratch: Scratch, session: DatabaseSession): Promise<void> {
  await session.query('create schema nightshift');
  for (const { up } of await readMigrations(productFolder('nightshift'), false)) {
    const problem = await runScript(scratch, session, up);
    if (problem !== undefined) throw notInstalled(problem);
  }
  for (const file of ['roles/schema-privileges.sql', 'roles/default-privileges.sql']) {
    const { rows } = await session.query<{ statement: string; present: boolean }>(readSqlFile(file));
    for (const { statement, present } of rows) if (!present) await session.query(statement);
  }
  await installRoleStandIns(session);
}

/** Replaces the functions that make and drop group roles by those that ask the run to do it. */
export async function installRoleStandIns(session: DatabaseSession): Promise<void> {
  const file = 'migrate/group-role-stand-ins.sql';
  for (const { text } of (await splitMigration(file, readSqlFile(file))).statements) await session.query(text);
}

function notInstalled(problem: string): JobFailure {
  return new JobFailure({
    code: 'migrate.scratch_failed',
    problem: `schema nightshift could not be made in the scratch database: ${problem}`,
    safeState: 'The live database was not changed',
    hint: 'run bootstrap, and look at the message of the server',
  });
}
