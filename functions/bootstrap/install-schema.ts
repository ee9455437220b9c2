// Makes schema nightshift, owned by nightshift_migrate, and applies the files of sql/nightshift as that role.
import type { DatabaseSession } from '../shared/database.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { Migration } from '../shared/migration-files.ts';
import { compareHistory, readHistory, refuseChanged } from '../shared/migration-history.ts';
import { runMigrationScript } from '../shared/migration-run.ts';
import type { MigrationRun } from '../shared/migration-steps.ts';
import type { ServerFacts } from './check-administrator.ts';
import { plainStatement } from './planned-statement.ts';
import { ROLLED_BACK, runStatement } from './run-statement.ts';

const OWNER = 'nightshift_migrate';

/** The statement that schema nightshift still needs, or undefined when it is there with the right owner. */
export function schemaStatement(facts: ServerFacts) {
  if (!facts.has_schema) return plainStatement('schema nightshift', `create schema nightshift authorization ${OWNER}`);
  if (facts.schema_owner === OWNER) return undefined;
  return plainStatement(
    `owner of schema nightshift (was ${facts.schema_owner ?? 'unknown'})`,
    `alter schema nightshift owner to ${OWNER}`,
  );
}

/** The files of sql/nightshift that are not applied; throws `migrate.changed` when an applied one was edited. */
export async function pendingSchemaFiles(
  session: DatabaseSession,
  files: readonly Migration[],
): Promise<readonly Migration[]> {
  const state = compareHistory(files, (await readHistory(session, 'nightshift')) ?? []);
  refuseChanged(state);
  return state.pending;
}

/** Applies the pending files in the caller's transaction, as nightshift_migrate; returns what it applied. */
export async function installSchema(
  session: DatabaseSession,
  facts: ServerFacts,
  run: MigrationRun,
  pending: readonly Migration[],
): Promise<string[]> {
  const statement = schemaStatement(facts);
  if (statement) await runStatement(session, statement, facts);
  const changed = statement ? [statement.what] : [];
  await asOwner(session, facts, async () => {
    for (const migration of pending) {
      const outcome = await runMigrationScript(session, run, migration);
      if (!outcome.ok) {
        throw new JobFailure({
          code: 'bootstrap.refused',
          problem: outcome.failure.problem,
          safeState: ROLLED_BACK,
          hint: outcome.failure.hint,
          cause: outcome.failure,
        });
      }
      changed.push(migration.up.file);
    }
  });
  return changed;
}

/** Runs `use` as nightshift_migrate, then as the administrator again. */
export async function asOwner(session: DatabaseSession, facts: ServerFacts, use: () => Promise<void>): Promise<void> {
  await runStatement(session, plainStatement(`work as ${OWNER}`, `set local role ${OWNER}`), facts);
  await use();
  await session.query('set local role none');
}
