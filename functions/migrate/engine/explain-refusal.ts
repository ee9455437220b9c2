// Says more of a statement that the server refused than the server does: which version it is, when it knows less syntax than the
// parser that has taken the file.
import type { Database } from '../../shared/database.ts';
import { JobFailure } from '../../shared/job-failure.ts';
import { PARSER_MAJOR } from '../../shared/migration-parser.ts';
import { SYNTAX_ERROR, sqlState } from '../../shared/postgres-errors.ts';

/** The failure with the server's version, when it is older than the grammar that took the statement; any other one as it is. */
export async function explainRefusal(database: Database, failure: JobFailure): Promise<JobFailure> {
  if (!isSyntaxOfStatement(failure.cause)) return failure;
  const version = await readVersion(database);
  if (version === undefined || version.major >= PARSER_MAJOR) return failure;
  const { code, problem, safeState, excerpt, cause } = failure;
  return new JobFailure({
    code,
    problem: `${problem}; this server is PostgreSQL ${version.text}, and the grammar of PostgreSQL ${PARSER_MAJOR} knows this syntax`,
    safeState,
    hint: `write it as PostgreSQL ${version.major} knows it, or upgrade the server first`,
    excerpt,
    cause,
  });
}

/** Not one inside a function body, which the parser has not read, and not one of meaning, which has the same SQLSTATE. */
function isSyntaxOfStatement(error: unknown): boolean {
  if (!(error instanceof Error) || sqlState(error) !== SYNTAX_ERROR) return false;
  return Reflect.get(error, 'where') === undefined && /^(syntax error|unrecognized )/.test(error.message);
}

async function readVersion(database: Database): Promise<{ major: number; text: string } | undefined> {
  try {
    const { rows } = await database.withSession(
      async (session) =>
        await session.query<{ major: number; text: string }>(
          "select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as text",
        ),
    );
    return rows[0];
  } catch {
    // The statement has failed already; that no session is left to ask must not hide why.
    return undefined;
  }
}
