// Says in a person's words why no connection to the database came about; used by database.ts only.
import { describeError, JobFailure } from './job-failure.ts';
import {
  DATABASE_NOT_FOUND,
  INVALID_AUTHORIZATION,
  INVALID_PASSWORD,
  isSessionLost,
  sqlState,
  TOO_MANY_CONNECTIONS,
} from './postgres-errors.ts';

interface Place {
  host: string;
  port: number;
  dbname: string;
  username: string;
}

/** Whether the server refused the login, so that a rotated secret may be the reason. */
export function isLoginRefused(error: unknown): boolean {
  const state = sqlState(error);
  return state === INVALID_PASSWORD || state === INVALID_AUTHORIZATION;
}

/** The failure with the server's place and role in it; never the password. */
export function explainConnectError(error: unknown, place: Place): JobFailure {
  if (error instanceof JobFailure) return error;
  const server = place.host.startsWith('/') ? `socket "${place.host}"` : `"${place.host}:${place.port}"`;
  const detail = describeError(error);
  const failure = (code: JobFailure['code'], problem: string, hint: string) =>
    new JobFailure({ code, problem, safeState: 'Nothing was read or changed in the database', hint, cause: error });

  switch (sqlState(error)) {
    case INVALID_PASSWORD:
      return failure(
        'database.login_refused',
        `server ${server} refused the password of role "${place.username}", also after the secret was read again`,
        'compare the secret with the role; `bootstrap` sets the password of the role to the one in the secret',
      );
    case INVALID_AUTHORIZATION:
      return failure(
        'database.login_refused',
        `server ${server} refused role "${place.username}" on database "${place.dbname}": ${detail}`,
        'look at pg_hba.conf or rds.force_ssl: the server may want TLS, another role or another address',
      );
    case DATABASE_NOT_FOUND:
      return failure(
        'database.not_found',
        `database "${place.dbname}" does not exist on server ${server}`,
        'check the dbname in the secret or the URL',
      );
    case TOO_MANY_CONNECTIONS:
      return failure(
        'database.too_many_connections',
        `server ${server} has no free connection for role "${place.username}": ${detail}`,
        'raise max_connections or the CONNECTION LIMIT of the role, or lower the concurrency of the jobs',
      );
    case undefined:
      break;
    default:
      return failure(
        'database.login_refused',
        `server ${server} ended the login of role "${place.username}" (SQLSTATE ${sqlState(error)}): ${detail}`,
        'look at the log of the server at this time',
      );
  }
  if (isTlsError(error)) {
    return failure(
      'database.tls_refused',
      `TLS with server ${server} failed: ${detail}`,
      'the certificate must be signed by a CA in DATABASE_CA_FILE and name this host; only UNSAFE_DATABASE_TLS lowers that',
    );
  }
  return failure(
    'database.unreachable',
    `server ${server} could not be reached: ${detail}`,
    'check host, port, security groups and that the server runs',
  );
}

/**
 * The failure for an error of a statement in a job: a lost session and a failed statement each have their code.
 *
 * Anything that did not come from the server is given back as it is: a defect must not look like one of the database.
 * The server's words are kept but for data exceptions (class 22), which quote the value that did not fit.
 */
export function asJobFailure(error: unknown, about: { during: string; safeState: string }): unknown {
  if (error instanceof JobFailure) return error;
  const state = sqlState(error);
  const failure = (code: JobFailure['code'], problem: string, hint: string) =>
    new JobFailure({ code, problem, safeState: about.safeState, hint, cause: error });
  if (isSessionLost(error)) {
    return failure(
      'database.session_lost',
      `the server ended the session during ${about.during}: ${describeError(error)}`,
      'look at the log of the server at this time: a restart, a failover, or somebody has ended it',
    );
  }
  if (state === undefined) return error;
  const words = state.startsWith('22') ? 'a value did not fit' : describeError(error);
  return failure(
    'database.statement_failed',
    `a statement failed during ${about.during} (SQLSTATE ${state}): ${words}`,
    'look at the log of the server at this time',
  );
}

const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|EPROTO)/;

function isTlsError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    TLS_CODES.test(code) || error.message.includes('does not support SSL') || error.message.includes('SSL connection')
  );
}
