// Logs in as each role with the password of its secret: before the run to see which passwords are right already (a
// managed server shows nobody the verifiers), and after it to prove that the jobs will get in.
import { createDatabase, type DatabaseTls } from '../shared/database.ts';
import { describeError, JobFailure } from '../shared/job-failure.ts';
import type { DatabasePlace, RoleLogin } from './read-role-secrets.ts';

export interface LoginAttempt {
  readonly role: string;
  readonly ok: boolean;
  readonly problem: string;
}

/** Tries every login on the given server; a refused one is a result, an unreachable server throws. */
export async function proveLogins(
  logins: readonly RoleLogin[],
  place: DatabasePlace,
  tls: DatabaseTls,
): Promise<LoginAttempt[]> {
  return await Promise.all(logins.map(async (login) => await tryLogin(login, place, tls)));
}

async function tryLogin(login: RoleLogin, place: DatabasePlace, tls: DatabaseTls): Promise<LoginAttempt> {
  const credentials = { ...place, username: login.role.name, password: login.credentials.password };
  const database = createDatabase({
    job: 'bootstrap',
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls,
    limits: { statementTimeoutMs: 10_000, lockTimeoutMs: 1_000, idleInTransactionTimeoutMs: 10_000 },
    maxConnections: 1,
    rowSecurity: 'off',
  });
  const role = login.role.name;
  try {
    await database.withSession(async (session) => await session.query('select 1'));
    return { role, ok: true, problem: '' };
  } catch (error) {
    // The server counts connections only after it has accepted the password.
    if (error instanceof JobFailure && error.code === 'database.too_many_connections') {
      return { role, ok: true, problem: '' };
    }
    if (error instanceof JobFailure && error.code === 'database.login_refused') {
      return { role, ok: false, problem: error.cause === undefined ? error.problem : describeError(error.cause) };
    }
    throw error;
  } finally {
    await database.close();
  }
}
