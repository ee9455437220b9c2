// The row of a file in nightshift.migration: how much of it is committed. Always changed in the transaction of the work it tells of,
// and before that work, so that of two runs that passed each other only one goes on.
import type { DatabaseSession } from '../../shared/database.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { scriptOf } from '../../shared/migration-run.ts';
import type { MigrationDirection, MigrationRun } from '../../shared/migration-steps.ts';
import { overtaken } from '../../shared/overtaken-run.ts';
import { LOCK_NOT_AVAILABLE, sqlState, UNIQUE_VIOLATION } from '../../shared/postgres-errors.ts';
import { readSqlFile } from '../../shared/sql-files.ts';

export interface Move {
  /** Statements that are committed already; undefined: the file has not begun. */
  readonly from: number | undefined;
  /** Statements that are committed with this move. */
  readonly to: number;
}

/** Moves the row of the file; throws `job.locked` when another run has moved it. */
export async function moveHistory(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  direction: MigrationDirection,
  move: Move,
): Promise<void> {
  const isWhole = move.to === scriptOf(migration, direction).statements.length;
  const key = [run.kind, migration.number] as const;
  const { up, down } = migration;
  if (direction === 'up' && move.from === undefined) {
    await beginUp(session, run, migration, { to: move.to, isWhole });
    return;
  }
  const moved =
    direction === 'up'
      ? await session.query(readSqlFile('migrate/go-up.sql'), [...key, up.checksum, move.from, move.to, isWhole])
      : isWhole
        ? await session.query(readSqlFile('migrate/end-down.sql'), [...key, up.checksum, move.from ?? null])
        : move.from === undefined
          ? await session.query(readSqlFile('migrate/begin-down.sql'), [...key, up.checksum, down?.checksum, move.to])
          : await session.query(readSqlFile('migrate/go-down.sql'), [...key, up.checksum, move.from, move.to]);
  if (moved.rowCount !== 1)
    throw overtaken(migration, 'is no longer as this run has found it: another run has changed it');
}

async function beginUp(
  session: DatabaseSession,
  run: MigrationRun,
  migration: Migration,
  { to, isWhole }: { to: number; isWhole: boolean },
): Promise<void> {
  const { number, name, up } = migration;
  const state = isWhole ? 'applied' : 'going up';
  try {
    const values = [
      run.kind,
      number,
      name,
      up.checksum,
      run.requestedBy,
      run.requestId,
      state,
      to,
      run.planHash ?? null,
    ];
    await session.query(readSqlFile('migrate/begin-up.sql'), values, { prepareAs: 'begin-up' });
  } catch (error) {
    // The rival has committed its row, or has not yet and we waited for it up to lock_timeout.
    const code = sqlState(error);
    if (code !== UNIQUE_VIOLATION && code !== LOCK_NOT_AVAILABLE) throw error;
    throw overtaken(migration, 'is being applied or was applied by another run', error);
  }
}
