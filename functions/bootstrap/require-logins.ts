// After the commit: says loudly when a role still cannot log in, instead of leaving it to the first job of the night.
import { JobFailure } from '../shared/job-failure.ts';
import type { LoginAttempt } from './prove-logins.ts';

/** The roles that got in; throws `bootstrap.refused` naming those that did not. */
export function requireLogins(attempts: readonly LoginAttempt[]): string[] {
  const refused = attempts.filter(({ ok }) => !ok);
  if (refused.length === 0) return attempts.map(({ role }) => role);
  throw new JobFailure({
    code: 'bootstrap.refused',
    problem: `${refused.length} of ${attempts.length} roles cannot log in with the password of their secret: ${refused.map(({ role, problem }) => `"${role}": ${problem}`).join('; ')}`,
    safeState: 'Roles, rights and schema nightshift were set up and committed',
    hint: 'look at pg_hba.conf and the server log; if a secret was rotated during the run, run bootstrap again',
  });
}
