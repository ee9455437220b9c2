// Session-level advisory locks by name, always the trying form: a session that waits for a lock holds a snapshot or a
// transaction id open, and CREATE INDEX CONCURRENTLY then deadlocks with it. Called by jobs that must not collide.
import type { DatabaseSession } from './database.ts';
import { JobFailure } from './job-failure.ts';
import { readSqlFile } from './sql-files.ts';

/** `nightshift:schema`: backup shared, migrate and bootstrap exclusive. The others: one run of the job at a time. */
export type AdvisoryLockName =
  | 'nightshift:schema'
  | 'nightshift:bootstrap'
  | 'nightshift:migrate'
  | 'nightshift:scratch'
  | 'nightshift:purge'
  | `nightshift:purge:${string}`;

export type AdvisoryLockMode = 'shared' | 'exclusive';

/** A session that holds the lock; null where pg_stat_activity hides it from this role. */
export interface AdvisoryLockHolder {
  processId: number;
  mode: AdvisoryLockMode;
  applicationName: string | null;
  role: string | null;
  /** Start of the session: the server does not keep since when a lock is held. */
  sessionStartedAt: Date | null;
  state: string | null;
  /** Seconds since the current, or else the last, statement began. */
  statementAgeSeconds: number | null;
}

export type AdvisoryLock = { held: true; unlock(): Promise<void> } | { held: false; holders: AdvisoryLockHolder[] };

/**
 * Takes the lock for the rest of the session, or tells at once who holds it.
 *
 * Never waits. The lock ends with `unlock()` or with the session, so a killed job leaves none behind. A session may take
 * the same lock more than once, and must unlock it as often.
 */
export async function tryAdvisoryLock(
  session: DatabaseSession,
  name: AdvisoryLockName,
  mode: AdvisoryLockMode,
): Promise<AdvisoryLock> {
  const { rows } = await session.query<{ taken: boolean }>(readSqlFile(`session/take-lock-${mode}.sql`), [name]);
  if (rows[0]?.taken === true) return { held: true, unlock: async () => await unlock(session, name, mode) };
  const holders = await session.query<HolderRow>(readSqlFile('session/lock-holders.sql'), [name]);
  return { held: false, holders: holders.rows.map(asHolder) };
}

interface WantedLock {
  name: AdvisoryLockName;
  mode: AdvisoryLockMode;
  job: string;
  /** What was not done without it. */
  safeState: string;
}

/** Takes the lock or throws `job.locked` with the holders in its text. */
export async function requireAdvisoryLock(session: DatabaseSession, wanted: WantedLock): Promise<() => Promise<void>> {
  const lock = await tryAdvisoryLock(session, wanted.name, wanted.mode);
  if (lock.held) return async () => await lock.unlock();
  throw lockedFailure(wanted, lock.holders);
}

/** The failure of a job that did not get its lock. */
export function lockedFailure(wanted: WantedLock, holders: readonly AdvisoryLockHolder[]): JobFailure {
  const first = holders[0];
  return new JobFailure({
    code: 'job.locked',
    problem: `${wanted.job} needs the lock "${wanted.name}" (${wanted.mode}), which ${describeHolders(holders)}`,
    safeState: wanted.safeState,
    hint: first
      ? `wait until it ends, or look at pid ${first.processId} in pg_stat_activity`
      : 'run the job again: the holder has gone in the meantime',
  });
}

/** `is held by pid 8812 (nightshift/backup, …)`: the holders in words. */
export function describeHolders(holders: readonly AdvisoryLockHolder[]): string {
  if (holders.length === 0) return 'was held a moment ago by a session that has gone';
  return `is held by ${holders.map(describeHolder).join(' and ')}`;
}

function describeHolder(holder: AdvisoryLockHolder): string {
  const facts = [
    holder.applicationName === null ? 'a session that this role may not see' : `"${holder.applicationName}"`,
    holder.role === null ? '' : `role "${holder.role}"`,
    holder.mode,
    holder.sessionStartedAt === null ? '' : `connected since ${holder.sessionStartedAt.toISOString()}`,
    holder.state ?? '',
    holder.statementAgeSeconds === null ? '' : `last statement began ${holder.statementAgeSeconds} s ago`,
  ];
  return `pid ${holder.processId} (${facts.filter((fact) => fact !== '').join(', ')})`;
}

interface HolderRow {
  process_id: number;
  mode: AdvisoryLockMode;
  application_name: string | null;
  role: string | null;
  session_started_at: Date | null;
  state: string | null;
  statement_age_seconds: number | null;
}

function asHolder(row: HolderRow): AdvisoryLockHolder {
  return {
    processId: row.process_id,
    mode: row.mode,
    applicationName: row.application_name,
    role: row.role,
    sessionStartedAt: row.session_started_at,
    state: row.state,
    statementAgeSeconds: row.statement_age_seconds,
  };
}

async function unlock(session: DatabaseSession, name: AdvisoryLockName, mode: AdvisoryLockMode): Promise<void> {
  const { rows } = await session.query<{ released: boolean }>(readSqlFile(`session/release-lock-${mode}.sql`), [name]);
  if (rows[0]?.released === true) return;
  throw new JobFailure({
    code: 'database.session_lost',
    problem: `the lock "${name}" (${mode}) was no longer held when it was given back`,
    safeState: 'The work that it guarded may have run beside another job',
    hint: 'a pooler that parts sessions breaks session locks: connect straight to the server',
  });
}
