// Roles and other globals of the server as SQL text, without passwords: a restore elsewhere needs the roles first.
import type { Credentials } from '../../shared/credentials.ts';
import type { Database } from '../../shared/database.ts';
import {
  type ClientTools,
  startClientTool,
  toolFailure,
  withCurrentLogin,
} from '../../shared/postgres-client-tools.ts';

interface GlobalsRequest {
  tools: ClientTools;
  database: Database;
  applicationName: string;
  signal: AbortSignal;
}

/** The output of `pg_dumpall --globals-only --no-role-passwords`; throws `client_tools.failed` unless it exits 0. */
export async function dumpGlobals(request: GlobalsRequest): Promise<string> {
  return await withCurrentLogin(request.database, async (credentials) => await dumpAs(credentials, request));
}

async function dumpAs(credentials: Credentials, request: GlobalsRequest): Promise<string> {
  const pgDumpall = startClientTool({
    ...request,
    program: 'pg_dumpall',
    args: ['--globals-only', '--no-role-passwords', '--no-password', `--database=${credentials.dbname}`],
    credentials,
    dbname: credentials.dbname,
    tls: request.database.tls,
  });
  const stop = () => pgDumpall.stop();
  request.signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of pgDumpall.stdout) chunks.push(Buffer.from(chunk));
    const end = await pgDumpall.ended;
    request.signal.throwIfAborted();
    if (end.exitCode !== 0) {
      throw toolFailure('pg_dumpall', end, 'while it read the roles', 'No backup was recorded');
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    request.signal.removeEventListener('abort', stop);
    pgDumpall.stop();
  }
}
