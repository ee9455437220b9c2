// Opens the database of a URL that a person has given to a command, and words its failures for somebody who has no secret.
import { readFileSync } from 'node:fs';
import { createDatabase, type Database, type SessionLimits } from '../../functions/shared/database.ts';
import { JobFailure } from '../../functions/shared/job-failure.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { LocalRunError } from '../local-run-error.ts';
import type { DatabaseUrl } from '../night/database-url.ts';

interface UrlOptions {
  /** In the application_name of its sessions. */
  job: 'restore' | 'migrate' | 'purge';
  limits: SessionLimits;
  maxConnections: number;
  signal: AbortSignal;
}

/** The database of the URL; connects on first use. */
export function openUrl(url: DatabaseUrl, options: UrlOptions): Database {
  const credentials = { ...url, password: new SecretText(url.password ?? '') };
  const caFile = url.tls.caFile ?? '';
  if (url.tls.unsafe === undefined) requireAuthorities(caFile, 'say sslrootcert=FILE in the URL, or set PGSSLROOTCERT');
  return createDatabase({
    ...options,
    credentials: { read: async () => credentials, refresh: async () => credentials },
    tls: { mode: url.tls.unsafe ?? 'verify-full', caFile },
    rowSecurity: 'off',
  });
}

/** Throws LocalRunError when the file that verify-full needs is not there. */
export function requireAuthorities(caFile: string, how: string): void {
  try {
    readFileSync(caFile);
  } catch {
    throw new LocalRunError(
      `TLS is verify-full, but ${caFile === '' ? 'no file of certificate authorities was given' : `"${caFile}" cannot be read`}. Nothing was read or changed`,
      `${how}; RDS: https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem`,
    );
  }
}

/** The failures of a connection with the next step for a person with a URL: there is no secret and no bootstrap here. */
export async function withUrlAdvice<T>(
  connect: () => Promise<T>,
  { safeState, notFound }: { safeState: string; notFound: string },
): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    const { code, problem, cause } = error;
    const hint =
      code === 'database.not_found'
        ? notFound
        : code === 'database.login_refused'
          ? 'check role and password in the URL, PGPASSWORD or PGUSER'
          : code === 'database.tls_refused'
            ? 'give the authorities of the server as sslrootcert in the URL or as PGSSLROOTCERT, and the host as in its certificate'
            : undefined;
    if (hint === undefined) throw error;
    const said = problem.replace(', also after the secret was read again', '');
    throw new JobFailure({ code, problem: said, safeState, hint, cause });
  }
}
