// The run of migrate: files, lock, history, then one transaction per file.
import { requireAdvisoryLock } from '../shared/advisory-lock.ts';
import type { Database, DatabaseSession } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { type MigrationFolder, readMigrations } from '../shared/migration-files.ts';
import { compareHistory, type MigrationState, refuseChanged } from '../shared/migration-history.ts';
import { type ChosenMigrations, chooseMigrations } from './choose-migrations.ts';
import type { MigrateEvent, MigrateResult } from './contract.ts';
import { describeLosses } from './describe-losses.ts';
import { describePlan } from './describe-plan.ts';
import { requireHistory } from './require-history.ts';
import { runFile } from './run-file.ts';

export interface MigrateContext extends Pick<JobContext, 'runId' | 'log' | 'metrics' | 'clock' | 'signal'> {
  event: MigrateEvent;
  database: Database;
  folder: MigrationFolder;
  /** False when the connection budget has no second session that could look for lock waits. */
  mayWatch: boolean;
}

/** Carries out the event; files that were committed before a failure stay applied and are recorded so. */
export async function runMigrate(context: MigrateContext): Promise<MigrateResult> {
  const files = await readMigrations(context.folder, true);
  const { event, database } = context;
  return await database.withSession(async (session) => {
    if (event.action === 'status' || event.dryRun === true) return await look(context, session, files);
    const unlock = await requireAdvisoryLock(session, {
      name: 'nightshift:schema',
      mode: 'exclusive',
      job: 'migrate',
      safeState: 'No migration was run',
    });
    const state = compareHistory(files, await requireHistory(session));
    refuseChanged(state);
    const chosen = chooseMigrations(state, event);
    if (chosen.migrations.length === 0) context.log.info('migrate.up_to_date', { current: state.applied.length });
    const done: MigrateResult['done'] = [];
    for (const migration of chosen.migrations) done.push(await runFile(context, session, migration, chosen.direction));
    await unlock();
    return report(context, compareHistory(files, await requireHistory(session)), { done });
  });
}

async function look(
  context: MigrateContext,
  session: DatabaseSession,
  files: Awaited<ReturnType<typeof readMigrations>>,
): Promise<MigrateResult> {
  const state = compareHistory(files, await requireHistory(session));
  if (context.event.action === 'status') return report(context, state, {});
  refuseChanged(state);
  const chosen: ChosenMigrations = chooseMigrations(state, context.event);
  return report(context, state, {
    planned: describePlan(chosen),
    loses: chosen.direction === 'down' ? await describeLosses(session, chosen.migrations) : [],
  });
}

function report(
  context: MigrateContext,
  state: MigrationState,
  more: Partial<Pick<MigrateResult, 'done' | 'planned' | 'loses'>>,
): MigrateResult {
  context.metrics.put('MigrationsPending', state.pending.length);
  return {
    action: context.event.action,
    dryRun: context.event.dryRun ?? false,
    current: state.applied.at(-1)?.number ?? 0,
    pending: state.pending.map(({ number, name }) => ({ number, name })),
    changed: state.changed.map(({ migration }) => migration.up.file),
    done: [],
    planned: [],
    loses: [],
    ...more,
  };
}
