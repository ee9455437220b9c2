// How many database connections the jobs of one database may open together, at worst.
import { PURGE_SESSIONS } from '../functions/purge/environment.ts';
import type { DatabaseConfig } from './config.ts';
import type { JobName } from './job-name.ts';
import { secretRoles } from './secret-role.ts';

/** health does all its work in one session. */
export const ONE_SESSION = 1;

/** bootstrap has no setting for it: two sessions of the administrator, and one of each role whose login it proves. */
const BOOTSTRAP_SESSIONS = 2 + secretRoles.length;

/** Beside the workers of a backup in one function: the snapshot, its control session, and pg_dump for the structure. */
const BESIDE_WORKERS = 3;

/** A session of its own for the clean-up, or pg_dump while the plan is made; both are short. */
const BESIDE_COPY_STEPS = 1;

/** Deployments have a function of migrate of their own: where it finds the other one at work, it has opened one session. */
const AT_DEPLOY = 1;

type Sized = Pick<
  DatabaseConfig,
  'backup' | 'restoreDrill' | 'purge' | 'health' | 'migrate' | 'bootstrap' | 'schedules'
>;

interface JobConnections {
  job: JobName;
  /** Runs of the job at the same time. */
  runs: number;
  connectionsPerRun: number;
}

/**
 * The most connections of each job that uses the database.
 *
 * Without a reserved concurrency a job counts as one run for each of its schedules: the same schedule does not start a
 * second run beside a running one, but two schedules of health can fall on the same minute.
 */
export function jobConnections(database: Sized): JobConnections[] {
  const { schedules } = database;
  const healthSchedules = [schedules.healthMinute, schedules.healthQuarterHour, schedules.healthDaily];
  const scheduledHealth = healthSchedules.filter((schedule) => schedule !== null).length;
  const of = (job: JobName, settings: { reservedConcurrency?: number }, connectionsPerRun: number, atOnce = 1) => ({
    job,
    runs: settings.reservedConcurrency ?? atOnce,
    connectionsPerRun,
  });
  return [
    of('backup', {}, backupConnections(database.backup)),
    of('restore-drill', {}, database.restoreDrill.maxConnections),
    of('purge', database.purge, PURGE_SESSIONS),
    of('health', database.health, ONE_SESSION, scheduledHealth),
    of('migrate', database.migrate, database.migrate.maxConnections + (database.migrate.atDeploy ? AT_DEPLOY : 0)),
    of('bootstrap', database.bootstrap, BOOTSTRAP_SESSIONS),
  ];
}

/** A backup is made either by one function with its workers, or by copy steps beside the holders of the snapshot. */
function backupConnections({ workers, copySteps, snapshotHolder }: Sized['backup']): number {
  const holders = snapshotHolder === 'relay' ? 2 : 1;
  return Math.max(workers + BESIDE_WORKERS, copySteps + holders + BESIDE_COPY_STEPS);
}

/** The sum over all jobs of runs × connections per run. */
export function connectionsNeeded(database: Sized): number {
  return jobConnections(database).reduce((sum, { runs, connectionsPerRun }) => sum + runs * connectionsPerRun, 0);
}
