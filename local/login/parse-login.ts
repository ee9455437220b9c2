// The options that tell a command which database it works on and who asks, the same for all commands that log in.
import { userInfo } from 'node:os';
import { LocalRunError } from '../local-run-error.ts';
import { type DatabaseUrl, parseDatabaseUrl } from '../night/database-url.ts';

/** A login by URL, or that of an entry of the config from its secret. */
export type Login = { url: DatabaseUrl } | { name: string; config: string };

/** --database-url or --database; an option goes before all of the environment. */
export function parseLogin(
  values: { database?: string; config?: string; 'database-url'?: string },
  environment: Readonly<Record<string, string | undefined>>,
  { isOptional }: { isOptional: boolean },
): Login | undefined {
  const byOption = {
    url: notBlank('database-url', values['database-url']),
    name: notBlank('database', values.database),
  };
  const isNamed = byOption.url !== undefined || byOption.name !== undefined;
  const blankIsMissing = (text: string | undefined) => text?.trim() || undefined;
  const url = isNamed ? byOption.url : blankIsMissing(environment['DATABASE_URL']);
  const name = isNamed ? byOption.name : blankIsMissing(environment['DATABASE_NAME']);
  if (url !== undefined && name !== undefined) {
    const [one, other] = isNamed ? ['--database-url', '--database'] : ['DATABASE_URL', 'DATABASE_NAME'];
    throw refuse(`${one} and ${other} are both given, and may be two databases`, 'give one of them');
  }
  if (url !== undefined) return { url: parseDatabaseUrl(url, environment) };
  const config = notBlank('config', values.config) ?? blankIsMissing(environment['NIGHTSHIFT_CONFIG']);
  if (name !== undefined) return { name, config: config ?? 'nightshift.config.ts' };
  if (isOptional) return undefined;
  throw refuse('no database is given', 'say --database NAME, or --database-url postgres://user@host:5432/dbname');
}

export function notBlank(option: string, text: string | undefined): string | undefined {
  if (text?.trim() === '') throw refuse(`--${option} is blank`, 'give a value, or leave it out');
  return text?.trim();
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run with a number that has no name.
    throw refuse('your user has no name, and --requested-by is not given', 'say --requested-by WHO');
  }
}

/** Bad input, before anything was asked. */
export function refuse(problem: string, hint: string): LocalRunError {
  return new LocalRunError(`${problem}. Nothing was read or changed`, hint);
}
