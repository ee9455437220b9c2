// Decides which files a run applies or reverts, and in which order. Pure.
import { JobFailure } from '../shared/job-failure.ts';
import type { Migration } from '../shared/migration-files.ts';
import type { MigrateEvent } from './contract.ts';
import type { HalfDone, MigrateState } from './engine/read-state.ts';

export interface ChosenMigrations {
  readonly direction: 'up' | 'down';
  /** A half done file is the first of them. */
  readonly migrations: readonly Migration[];
  readonly halfDone: HalfDone | undefined;
}

/**
 * The files to run.
 *
 * Throws `event.wrong` for a target that is not there, `migrate.files_wrong` for an irreversible file, `migrate.half_done` when a
 * file is half done in the other direction.
 */
export function chooseMigrations(
  state: MigrateState,
  { action, to }: { action: 'up' | 'down'; to?: MigrateEvent['to'] },
): ChosenMigrations {
  const { halfDone } = state;
  if (halfDone !== undefined && halfDone.direction !== action) throw otherDirection(halfDone, action);
  const whole = state.applied.length;
  if (action === 'up') {
    const pending = halfDone === undefined ? state.pending : [halfDone.migration, ...state.pending];
    const lowest = whole + (halfDone === undefined ? 0 : 1);
    const newest = whole + pending.length;
    const target = to ?? newest;
    if (target < lowest || target > newest) throw wrongTarget('up', target, lowest, newest);
    return { direction: 'up', migrations: pending.filter(({ number }) => number <= target), halfDone };
  }
  const applied = halfDone === undefined ? state.applied : [...state.applied, halfDone.migration];
  const target = to ?? downTarget(state);
  if (target > whole) throw wrongTarget('down', target, 0, whole);
  const migrations = applied.filter(({ number }) => number > target).toReversed();
  const stuck = migrations.find(({ irreversibleBecause }) => irreversibleBecause !== undefined);
  if (stuck) {
    throw new JobFailure({
      code: 'migrate.files_wrong',
      problem: `migration ${stuck.number} "${stuck.name}" cannot be reverted: it is irreversible because ${stuck.irreversibleBecause ?? ''}`,
      safeState: 'Nothing was reverted',
      hint: 'restore a backup from before it, or write a new migration that repairs what is wrong',
    });
  }
  return { direction: 'down', migrations, halfDone };
}

/** The target of a down that names none: one file less, a half done one among them. */
export function downTarget({ applied, halfDone }: Pick<MigrateState, 'applied' | 'halfDone'>): number {
  return Math.max(0, applied.length + (halfDone === undefined ? 0 : 1) - 1);
}

function otherDirection({ migration, direction, statementsDone }: HalfDone, action: string): JobFailure {
  const script = direction === 'up' ? migration.up : migration.down;
  return new JobFailure({
    code: 'migrate.half_done',
    problem: `${action} cannot begin: of "${script?.file}" ${statementsDone} of ${script?.statements.length} statements are committed`,
    safeState: 'No migration was run',
    hint: `end it with ${direction}, then ask again`,
  });
}

function wrongTarget(action: string, to: number, lowest: number, highest: number): JobFailure {
  return new JobFailure({
    code: 'event.wrong',
    problem: `${action} was asked to go to ${to}, but must go to ${lowest} to ${highest}`,
    safeState: 'No migration was run',
    hint: 'ask for the status first',
  });
}
