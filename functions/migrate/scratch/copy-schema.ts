// Copies the schema of the live database into a scratch database, through stock pg_dump: definitions and grants, no rows and
// no owners. What cannot or must not be made there is named, and the rest goes on.
import type { Credentials } from '../../shared/credentials.ts';
import type { Database, DatabaseSession } from '../../shared/database.ts';
import { describeError, JobFailure } from '../../shared/job-failure.ts';
import { type MigrationStatement, splitMigration } from '../../shared/migration-statements.ts';
import {
  type ClientTools,
  findClientTools,
  startClientTool,
  toolFailure,
  withCurrentLogin,
} from '../../shared/postgres-client-tools.ts';
import { isSessionLost, sqlState } from '../../shared/postgres-errors.ts';
import { quoteQualified } from '../../shared/quote-identifier.ts';
import { readSqlFile } from '../../shared/sql-files.ts';
import type { Scratch } from './scratch-server.ts';

export interface CopyRequest {
  /** The live database, and a session in it. */
  database: Database;
  live: DatabaseSession;
  scratch: Scratch;
  /** POSTGRES_CLIENT_DIRECTORIES. */
  clientDirectories: string;
}

export interface NotCopied {
  readonly what: string;
  readonly reason: string;
}

const NOTHING_CHANGED = 'The live database was not changed';
/** pg_dump waits for its ACCESS SHARE no longer than a migration would for its own locks. */
const LOCK_WAIT_MS = 5_000;

/** What could not be copied, in the order of the dump. Throws for a pg_dump that is missing or fails. */
export async function copySchema(request: CopyRequest): Promise<NotCopied[]> {
  const { live, scratch, clientDirectories } = request;
  const { rows } = await live.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  const tools = await findClientTools(clientDirectories, rows[0]?.major ?? 0);
  const unlockable = await live.query<{ schema: string; name: string }>(readSqlFile('migrate/unlockable-tables.sql'));
  const tables = unlockable.rows.map(({ schema, name }) => quoteQualified(schema, name));
  const text = await withCurrentLogin(
    request.database,
    async (credentials) => await dumpSchema(credentials, request, tools, tables),
  );
  const { statements } = await splitMigration('the dump of the schema', withoutRestrictLines(text));
  // The settings at the head of a dump are of its session, which ends with this.
  const loader = scratch.database.inDatabase(scratch.name);
  try {
    const refused = await loader.withSession(async (session) => await load(session, statements, scratch.signal));
    return [
      ...tables.map((table) => ({ what: `table ${table}`, reason: 'nightshift_migrate may not read it' })),
      ...refused,
    ];
  } finally {
    await loader.close();
  }
}

async function dumpSchema(
  credentials: Credentials,
  { database, scratch }: CopyRequest,
  tools: ClientTools,
  leftOut: readonly string[],
): Promise<string> {
  const pgDump = startClientTool({
    tools,
    program: 'pg_dump',
    args: [
      '--schema-only',
      '--no-owner',
      '--no-tablespaces',
      '--no-subscriptions',
      '--no-password',
      `--lock-wait-timeout=${LOCK_WAIT_MS}`,
      ...leftOut.map((table) => `--exclude-table=${table}`),
    ],
    credentials,
    dbname: credentials.dbname,
    tls: database.tls,
    applicationName: 'nightshift/migrate',
  });
  const stop = () => pgDump.stop();
  scratch.signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of pgDump.stdout) chunks.push(Buffer.from(chunk));
    const end = await pgDump.ended;
    scratch.signal.throwIfAborted();
    if (end.exitCode !== 0) throw toolFailure('pg_dump', end, 'while it read the schema', NOTHING_CHANGED);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    scratch.signal.removeEventListener('abort', stop);
    pgDump.stop();
  }
}

/** Since 15.14, 16.10 and 17.6 pg_dump begins with `\restrict <token>` and ends with `\unrestrict <token>`, for psql. */
export function withoutRestrictLines(text: string): string {
  const token = /^\\restrict (\S+)$/m.exec(text)?.[1];
  if (token === undefined) return text;
  const lines = new Set([`\\restrict ${token}`, `\\unrestrict ${token}`]);
  return text
    .split('\n')
    .filter((line) => !lines.has(line))
    .join('\n');
}

async function load(
  session: DatabaseSession,
  statements: readonly MigrationStatement[],
  signal: AbortSignal,
): Promise<NotCopied[]> {
  const notCopied: NotCopied[] = [];
  for (const statement of statements) {
    signal.throwIfAborted();
    const reason = reasonToLeaveOut(statement) ?? (await refusalOf(session, statement));
    if (reason !== undefined) notCopied.push({ what: statement.firstLine, reason });
  }
  if (statements.length > 0 && notCopied.length === statements.length) throw nothingCopied(notCopied[0]);
  return notCopied;
}

/** A foreign server leads out of the scratch database: a statement on one of its tables would change something real. */
function reasonToLeaveOut({ tree }: MigrationStatement): string | undefined {
  const kinds = [
    'CreateForeignServerStmt',
    'CreateUserMappingStmt',
    'CreateForeignTableStmt',
    'CreateSubscriptionStmt',
  ];
  return Object.keys(tree).some((kind) => kinds.includes(kind))
    ? 'it leads to another server, which a rehearsal must not reach'
    : undefined;
}

async function refusalOf(session: DatabaseSession, { text, tree }: MigrationStatement): Promise<string | undefined> {
  try {
    await session.query(text);
    return undefined;
  } catch (error) {
    if (isSessionLost(error)) throw error;
    // A newer pg_dump sets what an older server does not know.
    if ('VariableSetStmt' in tree) return undefined;
    return `SQLSTATE ${sqlState(error) ?? 'unknown'}: ${describeError(error)}`;
  }
}

function nothingCopied(first: NotCopied | undefined): JobFailure {
  return new JobFailure({
    code: 'migrate.scratch_failed',
    problem: `no statement of the schema could be made in the scratch database; "${first?.what ?? ''}": ${first?.reason ?? ''}`,
    safeState: NOTHING_CHANGED,
    hint: 'look at the message of the server',
  });
}
