// plan: everything that speaks for waiting or for asking somebody, before a change. Changes nothing in the live database.

import { describeHolders, tryAdvisoryLock } from '../../shared/advisory-lock.ts';
import type { DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { Migration } from '../../shared/migration-files.ts';
import { refuseChanged } from '../../shared/migration-history.ts';
import { LOCK_NOT_AVAILABLE, sqlState } from '../../shared/postgres-errors.ts';
import { chooseMigrations } from '../choose-migrations.ts';
import type { MigrateResult } from '../contract.ts';
import type { MigrateState } from '../engine/read-state.ts';
import { describeState, readProgress } from '../engine/run-migrations.ts';
import type { LintFinding } from '../lint/lint-finding.ts';
import { lintMigrations } from '../lint/lint-migrations.ts';
import { readLintCatalog } from '../lint/read-lint-catalog.ts';
import type { RehearsalResult } from '../rehearse/contract.ts';
import { rehearseMigrations } from '../rehearse/rehearse-migrations.ts';
import type { MigrateContext } from '../run-migrate.ts';
import { backupReason } from './backup-reason.ts';
import { type PlanReason, verdictOf } from './contract.ts';
import { irreversibleReasons, lintReasons, rehearsalReasons } from './file-reasons.ts';
import { liveReasons } from './live-reasons.ts';
import { planHash } from './plan-hash.ts';

const URGENCY = { wait: 0, approve: 1, note: 2 } as const;

/** The plan of an up to the target of the event. */
export async function runPlan(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { event, database, clock, store, databaseName } = context;
  const looked = await database.withSession(async (session) => {
    const { state, running } = await readProgress(session, files);
    refuseChanged(state);
    const { migrations, halfDone } = chooseMigrations(state, { action: 'up', to: event.to });
    const reasons = [...(await lockReasons(session)), ...(await liveReasons(session))];
    const schema = await lookAtSchema(session, state, migrations, reasons);
    return { state, running, migrations, halfDone, reasons, ...schema };
  });
  const { state, running, migrations, halfDone, findings, hash } = looked;
  const reasons: PlanReason[] = [...looked.reasons, ...lintReasons(findings), ...irreversibleReasons(migrations)];
  if (halfDone !== undefined) {
    reasons.push({
      level: 'note',
      about: 'files',
      problem: `"${halfDone.migration.up.file}" is half done: ${halfDone.statementsDone} of its statements are committed`,
      hint: 'up goes on with it',
    });
  }
  const backup = await backupReason(store, databaseName, clock.now());
  if (backup !== undefined) reasons.push(backup);
  const rehearsal = await rehearse(context, migrations, halfDone !== undefined, reasons);
  if (migrations.length > 0) reasons.push(...rehearsalReasons(rehearsal));
  const isIdle = migrations.length === 0;
  return {
    action: 'plan',
    dryRun: event.dryRun ?? false,
    ...describeState(context, state),
    running,
    verdict: isIdle ? 'GO' : verdictOf(reasons),
    reasons: reasons.toSorted((a, b) => URGENCY[a.level] - URGENCY[b.level]),
    hash,
    files: migrations.map(({ up }) => up.file),
    expectedSeconds: expectedSeconds(rehearsal),
    findings,
    rehearsal,
  };
}

/** What needs locks of tables, for a moment: a table that somebody locks for longer is a reason to wait. */
async function lookAtSchema(
  session: DatabaseSession,
  state: MigrateState,
  migrations: readonly Migration[],
  reasons: PlanReason[],
): Promise<{ findings: LintFinding[]; hash: string | null }> {
  // Names are looked up as the migrations would.
  await session.query('reset search_path');
  try {
    const findings = lintMigrations(migrations, await readLintCatalog(session));
    return { findings, hash: await planHash(session, state, migrations) };
  } catch (error) {
    const isLocked = sqlState(error) === LOCK_NOT_AVAILABLE;
    if (!isLocked && !(error instanceof JobFailure && error.code === 'migrate.schema_unreadable')) throw error;
    reasons.push({
      level: 'wait',
      about: 'locks',
      problem: `somebody locks a table or changes the schema, so it could not be read: ${describeError(error)}`,
      hint: 'wait until that has ended, and plan again',
    });
    return { findings: lintMigrations(migrations, null), hash: null };
  }
}

/** The lock that up would need; taken for a moment and given back. */
async function lockReasons(session: DatabaseSession): Promise<PlanReason[]> {
  const lock = await tryAdvisoryLock(session, 'nightshift:schema', 'exclusive');
  if (lock.held) {
    await lock.unlock();
    return [];
  }
  return [
    {
      level: 'wait',
      about: 'locks',
      problem: `the lock "nightshift:schema" ${describeHolders(lock.holders)}`,
      hint: 'wait until that job has ended',
    },
  ];
}

async function rehearse(
  context: MigrateContext,
  migrations: readonly Migration[],
  isHalfDone: boolean,
  reasons: PlanReason[],
): Promise<RehearsalResult | null> {
  const { event, clientDirectories } = context;
  // What of a half done file is in the copy of the schema cannot be run there once more.
  if (event.rehearse === false || migrations.length === 0 || isHalfDone) return null;
  try {
    return await rehearseMigrations(context, { migrations, clientDirectories });
  } catch (error) {
    if (!(error instanceof JobFailure) || error === context.signal.reason) throw error;
    reasons.push({
      level: 'approve',
      about: 'rehearsal',
      problem: `it could not be rehearsed: ${describeError(error)}`,
      hint: error.hint,
    });
    return null;
  }
}

function expectedSeconds(rehearsal: RehearsalResult | null): number | null {
  if (rehearsal === null) return null;
  const each = rehearsal.files.map((file) => file.expectedSeconds);
  return each.some((one) => one === null) ? null : each.reduce<number>((sum, one) => sum + (one ?? 0), 0);
}
