// What the database says of the files: which are applied, which one is half done, which are to come.
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { type AppliedMigration, compareHistory, type MigrationState } from '../../shared/migration-history.ts';
import { hasHistory } from '../../shared/migration-run.ts';
import type { MigrationDirection } from '../../shared/migration-steps.ts';
import { INSUFFICIENT_PRIVILEGE, sqlState, UNDEFINED_COLUMN } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface HalfDone {
  readonly migration: Migration;
  readonly direction: MigrationDirection;
  /** Of the script of that direction. */
  readonly statementsDone: number;
  readonly since: Date;
}

/** `applied` are whole; a half done file is in neither list. */
export interface MigrateState extends MigrationState {
  readonly halfDone: HalfDone | undefined;
  /** The plan to which the run was bound that began the newest file. */
  readonly planHash: string | undefined;
}

export interface HistoryRow extends AppliedMigration {
  readonly state: 'applied' | 'going up' | 'going down';
  readonly statements_done: number;
  readonly half_done_since: Date | null;
  readonly going_down_checksum: string | null;
  readonly plan_hash: string | null;
  readonly is_baseline: boolean;
}

/** The state of the files; throws `migrate.no_history` without schema nightshift, `migrate.files_wrong` when they do not fit. */
export async function readState(session: DatabaseSession, files: readonly Migration[]): Promise<MigrateState> {
  return compareState(files, await readRows(session));
}

/** The same of rows that were read. Pure. */
export function compareState(files: readonly Migration[], rows: readonly HistoryRow[]): MigrateState {
  const { applied, pending, changed } = compareHistory(files, rows);
  const last = rows.at(-1);
  const migration = applied.at(-1);
  const planHash = last?.plan_hash ?? undefined;
  if (!last || !migration || last.state === 'applied') {
    return { applied, pending, changed, planHash, halfDone: undefined };
  }
  const direction = last.state === 'going up' ? 'up' : 'down';
  if (direction === 'down' && migration.down?.checksum !== last.going_down_checksum) {
    throw new JobFailure({
      code: 'migrate.changed',
      problem: `"${migration.down?.file}" changed after ${last.statements_done} of its statements were run (run sha256 ${last.going_down_checksum}, file ${migration.down?.checksum})`,
      safeState: 'No migration was run',
      hint: 'restore the file from git, and end it with down',
    });
  }
  const halfDone = {
    migration,
    direction,
    statementsDone: last.statements_done,
    since: last.half_done_since ?? last.applied_at,
  } as const;
  return { applied: applied.slice(0, -1), pending, changed, planHash, halfDone };
}

async function readRows(session: DatabaseSession): Promise<HistoryRow[]> {
  if (await hasHistory(session)) {
    try {
      return (await session.query<HistoryRow>(readSqlFile('migrate/history.sql'))).rows;
    } catch (error) {
      if (sqlState(error) === INSUFFICIENT_PRIVILEGE) throw await noRights(session, error);
      if (sqlState(error) !== UNDEFINED_COLUMN) throw error;
      throw noHistory('schema nightshift is of an older version', error);
    }
  }
  const { rows } = await session.query<{ name: string }>('select current_database() as name');
  throw noHistory(`database "${rows[0]?.name ?? ''}" has no table nightshift.migration`);
}

async function noRights(session: DatabaseSession, cause: unknown): Promise<JobFailure> {
  const { rows } = await session.query<{ role: string }>('select current_user as role');
  return new JobFailure({
    code: 'database.statement_failed',
    problem: `role "${rows[0]?.role ?? ''}" may not read what is recorded of the migrations (SQLSTATE ${INSUFFICIENT_PRIVILEGE}): ${describeError(cause)}`,
    safeState: 'No migration was run',
    hint: 'log in as nightshift_migrate, which owns schema nightshift; bootstrap makes it',
    cause,
  });
}

function noHistory(problem: string, cause?: unknown): JobFailure {
  return new JobFailure({
    code: 'migrate.no_history',
    problem,
    safeState: 'No migration was run',
    hint: 'run bootstrap: it makes schema nightshift and the roles',
    cause,
  });
}
