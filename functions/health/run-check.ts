// Runs one check in a read-only transaction of its own, so that a check that fails does not take the others with it.
// Must never turn "could not look" into ok.
import type { DatabaseSession } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import {
  INSUFFICIENT_PRIVILEGE,
  INVALID_SCHEMA_NAME,
  LOCK_NOT_AVAILABLE,
  QUERY_CANCELED,
  sqlState,
  UNDEFINED_COLUMN,
  UNDEFINED_TABLE,
} from '../shared/postgres-errors.ts';
import { readSqlFile } from '../shared/sql-files.ts';
import {
  type CheckDefinition,
  type CheckRow,
  type Finding,
  grantMonitor,
  type ServerFacts,
} from './check-definition.ts';
import type { CheckResult, Tier } from './contract.ts';

/** What a check of the tier may cost at most; its usual cost is far below (10 ms for all of the minute tier). */
const LONGEST_MS: Readonly<Record<Tier, number>> = { minute: 1_000, 'quarter-hour': 5_000, daily: 300_000 };

/**
 * The result of one check.
 *
 * An error of the server (no right, no such column, timeout) makes this check `unknown` with its cause; a lost session
 * throws `health.unreadable`, because nothing after it can be believed.
 */
export async function runCheck(
  session: DatabaseSession,
  check: CheckDefinition,
  server: ServerFacts,
  statementTimeoutMs: number,
): Promise<CheckResult> {
  const finding = await findOut(session, check, server, Math.min(statementTimeoutMs, LONGEST_MS[check.tier]));
  return { id: check.id, unit: check.unit, ...finding, value: roundValue(finding.value) };
}

async function findOut(
  session: DatabaseSession,
  check: CheckDefinition,
  server: ServerFacts,
  timeoutMs: number,
): Promise<Finding> {
  if (check.needs === 'pg_monitor' && !server.readsAllStats) {
    return unknown(
      `role "${server.roleName}" is not a member of pg_monitor, so the sessions of other roles are hidden from it`,
      grantMonitor(server.roleName),
    );
  }
  if (check.sql.length === 0) return check.judge([], check.thresholds, server);

  const major = Math.floor(server.versionNumber / 10_000);
  const fitting = check.sql.filter(({ sinceMajor }) => sinceMajor <= major);
  const newest = fitting.toSorted((a, b) => b.sinceMajor - a.sinceMajor)[0];
  if (newest === undefined) return unknown(`there is no SQL for PostgreSQL ${server.version}`, null);

  const sql = readSqlFile(`health/${newest.file}`);
  let rows: CheckRow[];
  try {
    await session.query(`begin read only; set local statement_timeout = ${timeoutMs}`);
    ({ rows } = await session.query<CheckRow & Record<string, unknown>>(sql));
    await session.query('rollback');
  } catch (error) {
    if (isSessionLost(error)) throw sessionLost(check.id, error);
    await session.query('rollback');
    return explain(error, check, server, timeoutMs);
  }
  return check.judge(rows, check.thresholds, server);
}

function unknown(message: string, fix: string | null): Finding {
  return { status: 'unknown', value: null, message, fix };
}

/** What the server says where bootstrap has not run, or only that of an older version. */
const NO_BOOTSTRAP: ReadonlySet<string> = new Set([
  UNDEFINED_TABLE,
  UNDEFINED_COLUMN,
  INVALID_SCHEMA_NAME,
  INSUFFICIENT_PRIVILEGE,
]);

function explain(
  error: unknown,
  { needs }: Pick<CheckDefinition, 'needs'>,
  server: ServerFacts,
  timeoutMs: number,
): Finding {
  const state = sqlState(error);
  const detail = `${describeError(error)} (SQLSTATE ${state ?? 'none'})`;
  if (needs === 'bootstrap' && state !== undefined && NO_BOOTSTRAP.has(state)) {
    return unknown(`role "${server.roleName}" cannot read schema nightshift: ${detail}; run bootstrap`, null);
  }
  if (state === INSUFFICIENT_PRIVILEGE) {
    return unknown(`role "${server.roleName}" may not look: ${detail}`, grantMonitor(server.roleName));
  }
  if (state === QUERY_CANCELED) {
    return unknown(
      `the check was ended after ${timeoutMs} ms: ${detail}; the server is busy or its catalog large`,
      null,
    );
  }
  if (state === LOCK_NOT_AVAILABLE) {
    return unknown(`another session holds a lock that the check needs: ${detail}`, null);
  }
  return unknown(`the check could not run: ${detail}`, null);
}

/** Whether the connection itself is gone: no SQLSTATE, class 08 (connection) or 57P (the server ended the session). */
function isSessionLost(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || state.startsWith('08') || state.startsWith('57P');
}

function sessionLost(checkId: string, error: unknown): JobFailure {
  return new JobFailure({
    code: 'health.unreadable',
    problem: `the server ended the session of health during check "${checkId}": ${describeError(error)}`,
    safeState: 'Nothing was changed; no result of this run counts',
    hint: 'look at the log of the server at this time: it may have restarted or failed over',
    cause: error,
  });
}

function roundValue(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
