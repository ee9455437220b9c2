// Reads the secret of every role and checks that it belongs to that role and this database.
import type { CredentialSource, Credentials } from '../shared/credentials.ts';
import { JobFailure } from '../shared/job-failure.ts';
import type { Finding } from './contract.ts';
import { preparePassword } from './prepare-password.ts';
import type { WantedRole } from './wanted-roles.ts';

export interface RoleLogin {
  readonly role: WantedRole;
  readonly credentials: Credentials;
  /** Ready for the key derivation. */
  readonly preparedPassword: string;
}

export interface DatabasePlace {
  host: string;
  port: number;
  dbname: string;
}

/** All role secrets; throws `secret.wrong` when one belongs to another role or database. Nothing was changed by then. */
export async function readRoleSecrets(
  sources: readonly { role: WantedRole; source: CredentialSource }[],
  place: DatabasePlace,
): Promise<{ logins: RoleLogin[]; findings: Finding[] }> {
  const logins = await Promise.all(
    sources.map(async ({ role, source }): Promise<RoleLogin> => {
      // Never the cached value: bootstrap is what runs after a rotation.
      const credentials = await source.refresh();
      refuseOther(role.name, 'username', credentials.username, role.name);
      if (role.anyDatabase !== true) refuseOther(role.name, 'dbname', credentials.dbname, place.dbname);
      return { role, credentials, preparedPassword: preparePassword(role.name, credentials.password) };
    }),
  );
  const findings = logins
    .filter(({ credentials }) => credentials.host !== place.host || credentials.port !== place.port)
    .map(
      ({ role, credentials }): Finding => ({
        id: 'secret_points_elsewhere',
        subject: role.name,
        problem: `its secret points to "${credentials.host}:${credentials.port}", bootstrap works on "${place.host}:${place.port}"`,
        fix: 'right for a reader endpoint; else correct host and port in the secret',
      }),
    );
  return { logins, findings };
}

function refuseOther(role: string, key: string, actual: string, wanted: string): void {
  if (actual === wanted) return;
  throw new JobFailure({
    code: 'secret.wrong',
    problem: `the secret for role "${role}" has ${key} "${actual}", but must have "${wanted}"`,
    safeState: 'No role was changed',
    hint: 'check which secret is set for which role, and the content of that secret',
  });
}
