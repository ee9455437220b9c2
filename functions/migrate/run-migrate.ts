// The actions of migrate: what each needs, and who does it.
import type { Database, SessionLimits } from '../shared/database.ts';
import type { JobContext } from '../shared/job-handler.ts';
import { type Migration, type MigrationFolder, readMigrations } from '../shared/migration-files.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { chooseMigrations, downTarget } from './choose-migrations.ts';
import type { MigrateEvent, MigrateResult } from './contract.ts';
import { findDrift } from './drift/find-drift.ts';
import { describeState, readProgress, runMigrations } from './engine/run-migrations.ts';
import { lintMigrations } from './lint/lint-migrations.ts';
import { readLintCatalog } from './lint/read-lint-catalog.ts';
import { runPlan } from './plan/run-plan.ts';
import { planRun } from './plan-run.ts';
import { rehearseMigrations, requireRehearsed } from './rehearse/rehearse-migrations.ts';
import { runBaseline } from './run-baseline.ts';
import { runRepair } from './run-repair.ts';
import { requireCertified, verifyMigrations } from './verify/verify-migrations.ts';

export interface MigrateContext extends Pick<JobContext, 'runId' | 'log' | 'metrics' | 'clock' | 'signal'> {
  event: MigrateEvent;
  database: Database;
  /** Those of its sessions. */
  limits: SessionLimits;
  folder: MigrationFolder;
  /** False when the connection budget has no second session that could look for lock waits. */
  mayWatch: boolean;
  /** Of the backups, for the plan; undefined where no bucket is known. */
  store: ObjectStore | undefined;
  /** The name of the database in the bucket. */
  databaseName: string;
  /** Where pg_dump is, for what needs a copy of the schema. */
  clientDirectories: string;
  /** How often a unit is tried when a lock does not come. */
  lockAttempts: number;
  /** Aborted when there is no time left to begin a unit, or to wait for a long one; before `signal`. */
  pause: AbortSignal;
}

type Run = (context: MigrateContext, files: readonly Migration[]) => Promise<MigrateResult>;

const actions: Readonly<Record<MigrateEvent['action'], Run>> = {
  status: runStatus,
  plan: runPlan,
  lint: runLint,
  rehearse: runRehearsal,
  up: async (context, files) => await runOrPlan(context, files, 'up'),
  down: async (context, files) => await runOrPlan(context, files, 'down'),
  verify: runVerify,
  baseline: runBaseline,
  repair: runRepair,
};

/** Carries out the event; what was committed before a failure stays, and is recorded so. */
export async function runMigrate(context: MigrateContext): Promise<MigrateResult> {
  const files = await readMigrations(context.folder, true);
  return await actions[context.event.action](context, files);
}

async function runOrPlan(
  context: MigrateContext,
  files: readonly Migration[],
  action: 'up' | 'down',
): Promise<MigrateResult> {
  return context.event.dryRun === true
    ? await planRun(context, files, action)
    : await runMigrations(context, files, action);
}

async function runStatus(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { event, database, limits } = context;
  const { state, running } = await database.withSession(async (session) => await readProgress(session, files));
  const changed = state.changed.map(({ migration }) => migration.up.file);
  const drift = event.drift === true ? await findDrift(context, { applied: state.applied, limits }) : null;
  return {
    action: 'status',
    dryRun: event.dryRun ?? false,
    ...describeState(context, state),
    running,
    changed,
    drift,
    downTo: downTarget(state),
  };
}

/** All files are looked at; what is applied already is only the ground on which the pending ones stand. */
async function runLint(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  return await context.database.withSession(async (session) => {
    const { state, running } = await readProgress(session, files);
    await session.query('reset search_path');
    const pending = [...(state.halfDone ? [state.halfDone.migration] : []), ...state.pending];
    const findings = lintMigrations(pending, await readLintCatalog(session));
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    return {
      action: 'lint',
      dryRun: context.event.dryRun ?? false,
      ...describeState(context, state),
      running,
      errors,
      warnings: findings.length - errors,
      findings,
    };
  });
}

async function runRehearsal(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { event, database, clientDirectories } = context;
  const { state, running, migrations } = await database.withSession(async (session) => {
    const progress = await readProgress(session, files);
    return { ...progress, ...chooseMigrations(progress.state, { action: 'up', to: event.to }) };
  });
  const rehearsal = await rehearseMigrations(context, { migrations, clientDirectories });
  requireRehearsed(rehearsal);
  return { action: 'rehearse', dryRun: event.dryRun ?? false, ...describeState(context, state), running, ...rehearsal };
}

async function runVerify(context: MigrateContext, files: readonly Migration[]): Promise<MigrateResult> {
  const { event, database } = context;
  const { from, to } = event;
  const { state, running } = await database.withSession(async (session) => await readProgress(session, files));
  const result = await verifyMigrations(context, {
    migrations: files,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });
  requireCertified(result);
  return { action: 'verify', dryRun: event.dryRun ?? false, ...describeState(context, state), running, ...result };
}
