// Scratch databases for rehearsal, certificate and drift: one run of migrate at a time, swept before, dropped after, also
// when the run fails or is aborted. The live database is only read; its server gets the scratch database and group roles.
import { requireAdvisoryLock } from '../../shared/advisory-lock.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import type { JobContext } from '../../shared/job-handler.ts';
import { INSUFFICIENT_PRIVILEGE, isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import {
  dropScratchDatabase,
  dropScratchIn,
  findLeftovers,
  renewLease,
  type ScratchKind,
  scratchName,
} from '../../shared/scratch-database.ts';
import { makeScratchDatabase } from './make-scratch-database.ts';
import { createScratchRoles, dropNotedRoles, type ScratchRoles } from './scratch-roles.ts';

export interface ScratchContext extends Pick<JobContext, 'runId' | 'log' | 'clock' | 'signal'> {
  /** The live database, as nightshift_migrate. */
  database: Database;
}

export interface Scratch {
  readonly name: string;
  readonly database: Database;
  readonly roles: ScratchRoles;
  readonly signal: AbortSignal;
}

export interface ScratchServer {
  /** The session in the live database that holds the lock. */
  readonly live: DatabaseSession;
  /** A new, empty scratch database with the encoding, locale and settings of the live one; the one before is dropped. */
  create(): Promise<Scratch>;
}

/** Longer than a Lambda lives. A run by hand that takes longer is safe in its own database, by the lock. */
const LEASE_MS = 3_600_000;

/**
 * Runs `use` under the lock `nightshift:scratch`; what it created is gone afterwards.
 *
 * Throws `job.locked` while another run has the lock, `migrate.scratch_failed` when a scratch database cannot be made or
 * dropped. An abort drops it at once, which ends the statement that is running in it. At most 3 sessions at a time are open.
 */
export async function withScratchServer<T>(
  context: ScratchContext,
  use: (server: ScratchServer) => Promise<T>,
): Promise<T> {
  return await context.database.withSession(async (live) => {
    const unlock = await requireAdvisoryLock(live, {
      name: 'nightshift:scratch',
      mode: 'exclusive',
      job: 'migrate',
      safeState: 'No scratch database was made',
    });
    const kind = await kindFor(live);
    await sweep(context, live, kind);
    const run = scratchRun(context, live, kind);
    try {
      const result = await use({ live, create: run.create });
      context.signal.throwIfAborted();
      await run.end();
      return result;
    } catch (error) {
      await run.end().catch((cause: unknown) => {
        context.log.error('migrate.scratch_not_dropped', { problem: describeError(cause) });
      });
      // What the abort has broken is its consequence: the reason is what counts.
      context.signal.throwIfAborted();
      throw error;
    } finally {
      // A session that is lost has no lock any more.
      await unlock().catch(() => {});
    }
  });
}

async function kindFor(live: DatabaseSession): Promise<ScratchKind> {
  const { rows } = await live.query<{ name: string }>('select current_database() as name');
  return { prefix: 'nightshift_scratch', purpose: `migrate of ${JSON.stringify(rows[0]?.name ?? '')}` };
}

/** Databases of killed runs; only a run for the same live database may also drop the roles that one had made. */
async function sweep({ clock, log }: ScratchContext, live: DatabaseSession, kind: ScratchKind) {
  for (const { name, note, isOwn } of await findLeftovers(live, kind, clock, true)) {
    await dropScratchIn(live, kind, name);
    if (isOwn) await dropNotedRoles(live, note);
    log.warn('migrate.leftover_dropped', { scratch_database: name });
  }
}

function scratchRun(context: ScratchContext, live: DatabaseSession, kind: ScratchKind) {
  const { database, clock, signal, runId } = context;
  let current: Scratch | undefined;
  let made = 0;

  const renew = async (note: string | undefined) => {
    if (current) await renewLease(live, kind, current.name, new Date(clock.now().getTime() + LEASE_MS), note);
  };
  const roles = createScratchRoles(live, renew);
  const dropNow = () => {
    // The end of the run drops it again, and reports what goes wrong.
    if (current) void dropScratchIn(live, kind, current.name).catch(() => {});
  };

  /** In the session that is there: a run may have no other. When it is lost, the lock is too, and a new one must do. */
  async function drop(name: string): Promise<void> {
    try {
      await live.query('rollback');
      await dropScratchIn(live, kind, name);
    } catch (error) {
      if (!isSessionLost(error)) throw error;
      await dropScratchDatabase(database, kind, name);
    }
  }

  async function dropCurrent(): Promise<void> {
    const dropped = current;
    if (dropped === undefined) return;
    await dropped.database.close();
    try {
      await drop(dropped.name);
    } catch (error) {
      throw scratchFailed(`scratch database "${dropped.name}" could not be dropped`, error);
    }
    current = undefined;
    await roles.dropAll();
  }

  return {
    create: async () => {
      signal.throwIfAborted();
      await dropCurrent();
      made += 1;
      const name = scratchName(kind, clock.now(), `${runId} ${made}`);
      current = { name, database: database.inDatabase(name), roles, signal };
      signal.addEventListener('abort', dropNow, { once: true });
      try {
        await makeScratchDatabase(live, name);
      } catch (error) {
        throw scratchFailed(`scratch database "${name}" could not be made`, error);
      }
      await renew(undefined);
      return current;
    },
    end: async () => {
      await dropCurrent();
      signal.removeEventListener('abort', dropNow);
    },
  };
}

function scratchFailed(problem: string, cause: unknown): JobFailure {
  const state = sqlState(cause);
  return new JobFailure({
    code: 'migrate.scratch_failed',
    problem: `${problem}${state === undefined ? '' : ` (SQLSTATE ${state})`}: ${describeError(cause)}`,
    safeState: 'The live database was not changed; a scratch database that is left is dropped by the next run',
    hint:
      state === INSUFFICIENT_PRIVILEGE
        ? 'run bootstrap again: it lets nightshift_migrate make databases'
        : 'look at the log of the server at this time, and run it again',
    cause,
  });
}
