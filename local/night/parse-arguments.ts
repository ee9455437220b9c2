// The options of `npm start`. Anything that does not fit is refused before something is started (exit code 2).
import { parseArgs } from 'node:util';
import { LocalRunError } from '../local-run-error.ts';
import { type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';

export interface NightOptions {
  /** The user's own database; without it a throw-away cluster with sample data. */
  database: DatabaseUrl | undefined;
  keep: boolean;
  drillHere: boolean;
  withMigrate: boolean;
  withPurge: boolean;
  /** The backup is made and verified by many steps, as that of a large database. */
  distributed: boolean;
  /** Sample users in the throw-away cluster. */
  users: number;
}

export const HELP = `npm start -- [options]

Runs one whole night: health, backup, verify, restore drill, expire, report (and on the throw-away cluster also bootstrap,
migrate and purge), with the functions as they are deployed.

  --database-url URL  your own database instead of a throw-away one (also: DATABASE_URL); it is only read
  --drill-here        restore into a scratch database on that server too
  --with-migrate      also run bootstrap and migrate on that database (changes it)
  --with-purge        also purge rows past retention on that database (deletes rows; needs bootstrap)
  --distributed       make and verify the backup by many steps, as that of a large database
  --users N           sample users in the throw-away cluster (1 to 5000000, default 200000)
  --keep              leave everything under .nightshift/ and print the pg_restore line
  --help              this text

Exit codes: 0 all jobs ended well, 1 a job failed, 2 wrong options or a machine that lacks something,
130 Ctrl-C.`;

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export function parseArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): NightOptions | 'help' {
  const values = readOptions(args);
  if (values.help) return 'help';
  const url = (values['database-url'] ?? environment['DATABASE_URL'])?.trim() ?? '';
  if (values['database-url'] !== undefined && url === '') {
    throw new LocalRunError(
      '--database-url is blank; it must be a URL. Nothing was started',
      'give it as postgres://user@host:5432/dbname',
    );
  }
  const database = url === '' ? undefined : parseDatabaseUrl(url, environment);
  for (const option of ['drill-here', 'with-migrate', 'with-purge'] as const) {
    if (values[option] && !database) {
      throw new LocalRunError(
        `--${option} goes only with --database-url. Nothing was started`,
        'leave it out: the throw-away cluster does all jobs anyway',
      );
    }
  }
  return {
    database,
    keep: values.keep ?? false,
    drillHere: values['drill-here'] ?? false,
    withMigrate: values['with-migrate'] ?? false,
    withPurge: values['with-purge'] ?? false,
    distributed: values.distributed ?? false,
    users: parseUsers(values.users),
  };
}

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'database-url': { type: 'string' },
        'drill-here': { type: 'boolean' },
        'with-migrate': { type: 'boolean' },
        'with-purge': { type: 'boolean' },
        distributed: { type: 'boolean' },
        users: { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw new LocalRunError(`${reason}. Nothing was started`, 'npm start -- --help lists the options');
  }
}

const MOST_USERS = 5_000_000;

function parseUsers(text: string | undefined): number {
  if (text === undefined) return 200_000;
  const users = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (users >= 1 && users <= MOST_USERS) return users;
  throw new LocalRunError(
    `--users is "${text}"; it must be a whole number from 1 to ${MOST_USERS}. Nothing was started`,
    'leave it out for 200000',
  );
}
