// Compares the migration files with what the database says is applied. Used by migrate and bootstrap; changes nothing.
import type { DatabaseSession } from './database.ts';
import { JobFailure } from './job-failure.ts';
import type { Migration } from './migration-files.ts';
import { hasHistory } from './migration-run.ts';
import type { MigrationKind } from './migration-steps.ts';
import { readSqlFile } from './sql-files.ts';

export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly applied_at: Date;
}

export interface MigrationState {
  readonly applied: readonly Migration[];
  readonly pending: readonly Migration[];
  /** Applied files whose up text is no longer the one that was run. */
  readonly changed: readonly { migration: Migration; record: AppliedMigration }[];
}

/** The rows of the history, or undefined when there is no history table. */
export async function readHistory(
  session: DatabaseSession,
  kind: MigrationKind,
): Promise<AppliedMigration[] | undefined> {
  if (!(await hasHistory(session))) return undefined;
  return (await session.query<AppliedMigration>(readSqlFile('session/migration-history.sql'), [kind])).rows;
}

/** Splits the files into applied and pending; throws `migrate.files_wrong` when the history does not fit the files. */
export function compareHistory(files: readonly Migration[], history: readonly AppliedMigration[]): MigrationState {
  const problems: string[] = [];
  history.forEach((record, index) => {
    const file = files.find(({ number }) => number === record.number);
    if (!file) problems.push(`${record.number} "${record.name}" is applied, but its file is missing`);
    else if (file.name !== record.name)
      problems.push(`${record.number} was applied as "${record.name}", but the file is "${file.name}"`);
    if (record.number !== index + 1) problems.push(`${index + 1} is not applied, but ${record.number} is`);
  });
  if (problems.length > 0) {
    throw new JobFailure({
      code: 'migrate.files_wrong',
      problem: `the files do not fit the database: ${problems.join('; ')}`,
      safeState: 'No migration was run',
      hint: 'deploy the version that has these files, or look at nightshift.migration',
    });
  }
  const applied = files.slice(0, history.length);
  const changed = applied.flatMap((migration, index) => {
    const record = history[index];
    return record && record.checksum !== migration.up.checksum ? [{ migration, record }] : [];
  });
  return { applied, pending: files.slice(history.length), changed };
}

/** Throws `migrate.changed`, naming both checksums, when an applied file is no longer what was run. */
export function refuseChanged(state: MigrationState): void {
  const first = state.changed[0];
  if (!first) return;
  const others = state.changed.length > 1 ? `; ${state.changed.length - 1} more changed as well` : '';
  throw new JobFailure({
    code: 'migrate.changed',
    problem: `"${first.migration.up.file}" changed after it was applied on ${first.record.applied_at.toISOString()} (applied sha256 ${first.record.checksum}, file ${first.migration.up.checksum})${others}`,
    safeState: 'No migration was run',
    hint: 'restore the file from git and put the change into a new migration; comments and spacing do not count',
  });
}
