// What the local Secrets Manager holds: the secrets of the template, completed as a deployment and its owner would.
import type { JobName } from '../../functions/shared/jobs.ts';
import type { ThrowawayCluster } from '../postgres/throwaway-cluster.ts';
import type { DeployedStack } from '../template/read-functions.ts';
import type { DatabaseUrl } from './database-url.ts';

/** The jobs that read the user's own database by its URL instead of by a role of Nightshift. */
const READING_JOBS = ['backup', 'health'] as const;

/** A secret needs a password; the server asks for none when the URL has none, so this one is never sent. */
const NOT_ASKED_FOR = 'none';

/** The texts of all secrets by ARN. `drillTarget` is where the drill restores to when that is not the URL's server. */
export function localSecrets(
  stack: DeployedStack,
  database: DatabaseUrl | undefined,
  drillTarget: ThrowawayCluster | undefined,
): Record<string, string> {
  const secrets = structuredClone(stack.secrets);
  const administrator = stack.functions.bootstrap.environment['ADMIN_SECRET_ARN'] ?? '';
  const secretOf = (job: JobName) => secrets[stack.functions[job].environment['DATABASE_SECRET_ARN'] ?? ''] ?? {};
  const superuser = drillTarget && { username: drillTarget.superuser.user, password: drillTarget.superuser.password };
  if (database) {
    const login = { username: database.username, password: database.password ?? NOT_ASKED_FOR };
    const place = { host: database.host, port: database.port };
    secrets[administrator] = login;
    for (const secret of Object.values(secrets)) if ('host' in secret) Object.assign(secret, place);
    for (const job of READING_JOBS) Object.assign(secretOf(job), login, { dbname: database.dbname });
    const target = superuser && { ...superuser, host: drillTarget.host, port: drillTarget.port };
    Object.assign(secretOf('restore-drill'), target ?? login);
  } else if (superuser) {
    secrets[administrator] = superuser;
  }
  return Object.fromEntries(Object.entries(secrets).map(([arn, value]) => [arn, JSON.stringify(value)]));
}
