// up and down: the lock, then file by file. A run that comes while a statement of an earlier one is still at work tells how far it is.
import { type AdvisoryLockHolder, lockedFailure, tryAdvisoryLock } from '../../shared/advisory-lock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { refuseChanged } from '../../shared/migration-history.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import { chooseMigrations } from '../choose-migrations.ts';
import type { DoneFile, RunResult } from '../contract.ts';
import { describeLosses } from '../describe-losses.ts';
import { LeftRunning } from '../long/left-running.ts';
import { type LongReport, readLongStep, reportLongStep } from '../long/long-step.ts';
import { planHash, requirePlan } from '../plan/plan-hash.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { explainRefusal } from './explain-refusal.ts';
import { type MigrateState, readState } from './read-state.ts';
import { runFile } from './run-file.ts';

/** Recording a statement that has ended takes milliseconds; a client that is silent for so long is frozen. */
const DEAF_AFTER_SECONDS = 10;

const LOCK = {
  name: 'nightshift:schema',
  mode: 'exclusive',
  job: 'migrate',
  safeState: 'No migration was run',
} as const;

/** Applies or reverts what the event asks for; answers "running" when the server or the next run goes on. */
export async function runMigrations(
  context: MigrateContext,
  files: readonly Migration[],
  action: 'up' | 'down',
): Promise<RunResult> {
  const { database, event, log } = context;
  const done: DoneFile[] = [];
  try {
    await database.withSession(async (session) => {
      const unlock = await takeLock(session);
      const state = await readState(session, files);
      refuseChanged(state);
      const { migrations, direction, halfDone } = chooseMigrations(state, { action, to: event.to });
      if (migrations.length === 0) log.info('migrate.up_to_date', { current: state.applied.length });
      if (event.plan !== undefined) {
        const isLaterPass = state.planHash === event.plan;
        requirePlan(event.plan, await planHash(session, state, migrations), isLaterPass);
      }
      if (direction === 'down') await refuseUnconfirmedLoss(context, session, migrations);
      for (const migration of migrations) {
        // The next run goes on with the next file; to begin it now would end in the middle of it.
        if (context.pause.aborted && done.length > 0) throw new LeftRunning();
        const statementsDone = halfDone?.migration === migration ? halfDone.statementsDone : undefined;
        done.push(await runFile(context, session, { migration, direction, statementsDone }));
      }
      await unlock();
    });
  } catch (error) {
    if (!(error instanceof LeftRunning))
      throw error instanceof JobFailure ? await explainRefusal(database, error) : error;
    log.info('migrate.left_running', { files_done: done.length });
    return await answer(context, files, action, done, 'running');
  }
  return await answer(context, files, action, done, 'done');
}

/** Throws `migrate.loss_not_confirmed` naming what the down files would lose, unless the event says that it may be lost. */
async function refuseUnconfirmedLoss(
  { event }: MigrateContext,
  session: DatabaseSession,
  migrations: readonly Migration[],
): Promise<void> {
  if (event.confirmLoss === true) return;
  const losses = (await describeLosses(session, migrations)).filter(({ rows }) => rows !== 0);
  if (losses.length === 0) return;
  throw new JobFailure({
    code: 'migrate.loss_not_confirmed',
    problem: `down ${losses.map(({ says }) => says).join('; ')}; nobody has said that this may be lost`,
    safeState: 'Nothing was reverted',
    hint: 'make sure that a backup has it, then say confirmLoss (--confirm-loss)',
  });
}

/** The lock, or: LeftRunning when its holder is the statement of an earlier run, `job.locked` when it is anybody else. */
async function takeLock(session: DatabaseSession): Promise<() => Promise<void>> {
  const lock = await tryAdvisoryLock(session, LOCK.name, LOCK.mode);
  if (lock.held) return async () => await lock.unlock();
  const { holders } = lock;
  if (!(await isOwnLongStep(session, holders))) throw lockedFailure(LOCK, holders);
  // The statement is over, but its client lives on without listening (a frozen function): the session would hold the lock for ever.
  for (const { processId } of holders) {
    await session.query(readSqlFile('migrate/end-session.sql'), [processId, DEAF_AFTER_SECONDS]);
  }
  const again = await tryAdvisoryLock(session, LOCK.name, LOCK.mode);
  if (again.held) return async () => await again.unlock();
  throw new LeftRunning();
}

async function isOwnLongStep(session: DatabaseSession, holders: readonly AdvisoryLockHolder[]): Promise<boolean> {
  const step = await readLongStep(session);
  return step?.is_connected === true && holders.some(({ processId }) => processId === step.process_id);
}

async function answer(
  context: MigrateContext,
  files: readonly Migration[],
  action: 'up' | 'down',
  done: readonly DoneFile[],
  status: 'done' | 'running',
): Promise<RunResult> {
  const { state, running } = await context.database.withSession(async (session) => await readProgress(session, files));
  return { action, dryRun: false, status, ...describeState(context, state), done: [...done], running };
}

/** The files, and the statement that runs alone. */
export async function readProgress(
  session: DatabaseSession,
  files: readonly Migration[],
): Promise<{ state: MigrateState; running: LongReport | null }> {
  const state = await readState(session, files);
  const step = await readLongStep(session);
  return { state, running: step === undefined ? null : await reportLongStep(step) };
}

/** What every answer says of the files. */
export function describeState({ metrics }: Pick<MigrateContext, 'metrics'>, state: MigrateState) {
  const { applied, pending, halfDone } = state;
  metrics.put('MigrationsPending', pending.length + (halfDone?.direction === 'up' ? 1 : 0));
  return {
    current: applied.at(-1)?.number ?? 0,
    pending: pending.map(({ number, name }) => ({ number, name })),
    halfDone:
      halfDone === undefined
        ? null
        : {
            number: halfDone.migration.number,
            name: halfDone.migration.name,
            direction: halfDone.direction,
            statementsDone: halfDone.statementsDone,
            statements:
              (halfDone.direction === 'up' ? halfDone.migration.up : halfDone.migration.down)?.statements.length ?? 0,
            since: halfDone.since.toISOString(),
          },
  };
}
