// Reads a postgres:// URL as libpq does: host, port, database, login, sslmode. Says which TLS will be used.
import { LocalRunError } from '../local-run-error.ts';

export interface DatabaseUrl {
  host: string;
  port: number;
  dbname: string;
  username: string;
  /** Undefined when the server asks for none (trust, peer) or the URL and PGPASSWORD have none. */
  password: string | undefined;
  tls: { unsafe: 'disable' | 'no-verify' | undefined; caFile: string | undefined };
  /** One sentence for the terminal. */
  tlsSentence: string;
}

const NO_HOST = 'no-host-given';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);
const KNOWN_PARAMETERS = new Set(['sslmode', 'sslrootcert', 'host', 'application_name', 'connect_timeout']);

/**
 * The parts of a URL.
 *
 * `sslmode` is followed: verify-full and verify-ca prove the server, require only encrypts, disable, allow and prefer
 * send clear text. Without it: verify-full, but plain for a unix socket or loopback. Never repeats the password.
 */
export function parseDatabaseUrl(text: string, environment: Readonly<Record<string, string | undefined>>): DatabaseUrl {
  const refuse = (problem: string): never => {
    throw new LocalRunError(
      `the database URL ${problem}. Nothing was started`,
      'give it as postgres://user@host:5432/dbname?sslmode=verify-full',
    );
  };
  if (!/^postgres(ql)?:\/\//.test(text)) refuse('must begin with postgres:// or postgresql://');
  // The URL class knows no empty host; a socket folder comes as ?host=/path or percent-encoded.
  const withHost = text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[/?])/, `$1${NO_HOST}`);
  // Its own error quotes the text, password and all.
  const url = URL.parse(withHost) ?? refuse('is not a URL');
  for (const name of url.searchParams.keys()) {
    if (!KNOWN_PARAMETERS.has(name)) refuse(`has the parameter "${name}", which Nightshift does not know`);
  }
  const dbname = decodeURIComponent(url.pathname.slice(1));
  if (dbname === '') refuse('names no database');
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const atSocket = host.startsWith('/');
  if (host === '' || host === NO_HOST) refuse('names no host');
  const port = url.port === '' ? 5_432 : Number(url.port);
  const username = decodeURIComponent(url.username) || environment['PGUSER'] || '';
  if (username === '') refuse('names no user');
  const password = decodeURIComponent(url.password) || environment['PGPASSWORD'] || undefined;
  const mode = url.searchParams.get('sslmode') ?? environment['PGSSLMODE'];
  const caFile = url.searchParams.get('sslrootcert') ?? environment['PGSSLROOTCERT'];
  return { host, port, dbname, username, password, ...tlsOf(mode, caFile, atSocket, LOOPBACK.has(host)) };
}

function tlsOf(
  mode: string | undefined,
  caFile: string | undefined,
  atSocket: boolean,
  onLoopback: boolean,
): Pick<DatabaseUrl, 'tls' | 'tlsSentence'> {
  const plain = (why: string) => ({ tls: { unsafe: 'disable' as const, caFile }, tlsSentence: `without TLS (${why})` });
  if (atSocket) return plain('unix socket');
  switch (mode) {
    case undefined:
      if (onLoopback) return plain('loopback; sslmode in the URL changes that');
      return { tls: { unsafe: undefined, caFile }, tlsSentence: 'TLS verify-full' };
    case 'verify-full':
    case 'verify-ca':
      return { tls: { unsafe: undefined, caFile }, tlsSentence: 'TLS verify-full' };
    case 'require':
      return { tls: { unsafe: 'no-verify', caFile }, tlsSentence: 'TLS, server not proven (sslmode=require)' };
    case 'prefer':
    case 'allow':
    case 'disable':
      return plain(`sslmode=${mode}`);
    default:
      throw new LocalRunError(
        `sslmode is "${mode}"; it must be disable, allow, prefer, require, verify-ca or verify-full. Nothing was started`,
        'use verify-full',
      );
  }
}
