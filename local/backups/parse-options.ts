// The options of `npm run backups`; what is not given comes from the environment and nightshift.config.ts.
import { parseArgs } from 'node:util';
import { databaseSettings } from '../../functions/shared/environment.ts';
import { ageLimits } from '../../infra/age-limits.ts';
import type { DatabaseConfig } from '../../infra/config.ts';
import { loadConfig } from '../../infra/load-config.ts';
import { LocalRunError } from '../local-run-error.ts';

export interface BackupsOptions {
  bucket: string;
  database: string;
  /** Of the RPO; undefined when nothing says it. */
  limitHours: number | undefined;
  json: boolean;
}

export const HELP = `npm run backups -- [options]

Lists the backups of a database, newest first, with their state and last restore drill, and the gap to the RPO. Only reads.

  --bucket NAME        bucket of the backups (also: BACKUP_BUCKET); output BackupBucketName of the stack
  --database NAME      name in Nightshift (also: DATABASE_NAME; default: the one database of nightshift.config.ts)
  --max-age-hours N    limit of the RPO (default: that of the database in nightshift.config.ts)
  --json               everything as JSON
  --help               this text

S3 is reached by the standard AWS variables (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL …). NIGHTSHIFT_CONFIG names another
config file.

Exit codes: 0 the RPO is met and everything could be read, 1 it is not or something could not be read, 2 wrong options.`;

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export async function parseOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): Promise<BackupsOptions | 'help'> {
  const values = readOptions(args);
  if (values.help) return 'help';
  const given = (option: 'bucket' | 'database', variable: string) => {
    const value = values[option]?.trim() ?? environment[variable]?.trim() ?? '';
    if (values[option] !== undefined && value === '')
      throw refused(`--${option} is blank; it must be a name`, 'leave it out, or give a name');
    return value === '' ? undefined : value;
  };
  const bucket = given('bucket', 'BACKUP_BUCKET');
  if (bucket === undefined)
    throw refused(
      'the bucket is not named: neither --bucket nor BACKUP_BUCKET is there',
      'it is the output BackupBucketName of the stack: aws cloudformation describe-stacks --stack-name Nightshift-<name>',
    );
  const path = environment['NIGHTSHIFT_CONFIG']?.trim() || 'nightshift.config.ts';
  const databases = (await loadConfig(path, now)).databases ?? [];
  const database = given('database', 'DATABASE_NAME') ?? onlyDatabase(databases, path);
  if (databaseSettings.DATABASE_NAME.parse(database) === undefined)
    throw refused(
      `the database is "${database}"; it must be ${databaseSettings.DATABASE_NAME.allowed}`,
      'it is the name of the database in nightshift.config.ts',
    );
  const configured = databases.find(({ name }) => name === database);
  return {
    bucket,
    database,
    limitHours: parseHours(values['max-age-hours']) ?? (configured && ageLimits(configured).verified),
    json: values.json ?? false,
  };
}

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        bucket: { type: 'string' },
        database: { type: 'string' },
        'max-age-hours': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw refused(reason, 'npm run backups -- --help lists the options');
  }
}

function onlyDatabase(databases: readonly DatabaseConfig[], path: string): string {
  const [only] = databases;
  if (only !== undefined && databases.length === 1) return only.name;
  const names = databases.map(({ name }) => name).join(', ');
  throw refused(
    `the database is not named, and ${path} ${databases.length === 0 ? 'names none that can be used' : `has ${databases.length}: ${names}`}`,
    'give --database',
  );
}

/** Ten years: more is no limit but a mistake in the unit. */
const MOST_HOURS = 87_600;

function parseHours(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const hours = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (hours >= 1 && hours <= MOST_HOURS) return hours;
  throw refused(
    `--max-age-hours is "${text}"; it must be a whole number from 1 to ${MOST_HOURS}`,
    'leave it out for the limit of nightshift.config.ts',
  );
}

function refused(problem: string, hint: string): LocalRunError {
  return new LocalRunError(`${problem}. Nothing was read`, hint);
}
