// Decides which files a run applies or reverts, and in which order. Pure.
import { JobFailure } from '../shared/job-failure.ts';
import type { Migration } from '../shared/migration-files.ts';
import type { MigrationState } from '../shared/migration-history.ts';
import type { MigrateEvent } from './contract.ts';

export interface ChosenMigrations {
  readonly direction: 'up' | 'down';
  readonly migrations: readonly Migration[];
}

/** The files to run; throws `event.wrong` for a target that is not there, `migrate.files_wrong` for an irreversible one. */
export function chooseMigrations(state: MigrationState, event: Pick<MigrateEvent, 'action' | 'to'>): ChosenMigrations {
  const current = state.applied.length;
  const newest = current + state.pending.length;
  if (event.action === 'up') {
    const to = event.to ?? newest;
    if (to < current || to > newest) throw wrongTarget('up', to, current, newest);
    return { direction: 'up', migrations: state.pending.filter(({ number }) => number <= to) };
  }
  const to = event.to ?? Math.max(0, current - 1);
  if (to > current) throw wrongTarget('down', to, 0, current);
  const migrations = state.applied.filter(({ number }) => number > to).toReversed();
  const stuck = migrations.find(({ irreversibleBecause }) => irreversibleBecause !== undefined);
  if (stuck) {
    throw new JobFailure({
      code: 'migrate.files_wrong',
      problem: `migration ${stuck.number} "${stuck.name}" cannot be reverted: it is irreversible because ${stuck.irreversibleBecause ?? ''}`,
      safeState: 'Nothing was reverted',
      hint: 'restore a backup from before it, or write a new migration that repairs what is wrong',
    });
  }
  return { direction: 'down', migrations };
}

function wrongTarget(action: string, to: number, lowest: number, highest: number): JobFailure {
  return new JobFailure({
    code: 'event.wrong',
    problem: `${action} was asked to go to ${to}, but must go to ${lowest} to ${highest}`,
    safeState: 'No migration was run',
    hint: 'ask for the status first',
  });
}
