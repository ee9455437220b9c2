// The options of `npm run restore`. Anything that does not fit is refused before something is read (exit code 2).
import { parseArgs } from 'node:util';
import type { Selection } from '../../functions/shared/restore/choose-entries.ts';
import { LocalRunError } from '../local-run-error.ts';
import { type DatabaseUrl, parseDatabaseUrl } from '../night/database-url.ts';

export interface RestoreArguments {
  bucket: string;
  database: string;
  /** Undefined: the newest verified one. */
  backupId: string | undefined;
  target: DatabaseUrl;
  create: boolean;
  selection: Selection;
  noOwner: boolean;
  noPrivileges: boolean;
  noTablespaces: boolean;
  jobs: number;
  allowNonEmpty: boolean;
  allowUnproven: boolean;
  dryRun: boolean;
}

export const HELP = `npm run restore -- --target-url URL [options]

Restores a backup straight from S3 into a PostgreSQL database: no local disk, several sessions. Started again after it
was broken off, it goes on where it stopped. Credentials and region come from the standard AWS variables.

  --target-url URL    the database to restore into (also: RESTORE_TARGET_URL); it must be empty
  --create            make that database if it is missing, with the encoding and locale of the backup
  --bucket NAME       bucket of the backups (also: BACKUP_BUCKET)
  --database NAME     \`name\` in nightshift.config.ts (also: DATABASE_NAME)
  --backup ID         which backup (default: the newest that is verified)
  --allow-unproven    take the backup of --backup also when it is broken, or was never verified

  --schema NAME       only this schema, with what it needs; may be given again
  --table S.NAME      only this table, with its partitions, indexes, constraints and what it needs; may be given again
  --schema-only       definitions, no rows
  --data-only         rows, into tables that are there (with --allow-non-empty); sequences of a --table stay as they are
  --no-owner          everything belongs to the role of the URL
  --no-privileges     without GRANT and REVOKE
  --no-tablespaces    everything into the default tablespace

  --jobs N            sessions at the same time, 1 to 32 (default 4); 1 restores in the order of the archive
  --allow-non-empty   restore although the database holds something already; nothing of it is dropped
  --dry-run           say what would be done; change nothing
  --help              this text

Exit codes: 0 restored, 1 failed (what was restored is in the target), 2 wrong options, 130 Ctrl-C.`;

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export function parseArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): RestoreArguments | 'help' {
  const values = readOptions(args);
  if (values.help) return 'help';
  const needed = (option: 'target-url' | 'bucket' | 'database', variable: string, hint: string): string => {
    const value = (values[option] ?? environment[variable])?.trim() ?? '';
    if (value !== '') return value;
    throw refuse(`--${option} is missing (also: ${variable})`, hint);
  };
  const target = needed('target-url', 'RESTORE_TARGET_URL', 'give it as postgres://user@host:5432/dbname');
  if (values['schema-only'] && values['data-only']) {
    throw refuse(
      '--schema-only and --data-only are both given; only one of them may be',
      'leave both out for everything',
    );
  }
  const part = values['schema-only'] ? 'schema-only' : values['data-only'] ? 'data-only' : 'all';
  return {
    bucket: needed('bucket', 'BACKUP_BUCKET', 'it is the output BackupBucketName of the stack'),
    database: needed('database', 'DATABASE_NAME', 'it is `name` in nightshift.config.ts'),
    backupId: parseBackupId(values.backup, values['allow-unproven'] ?? false),
    target: parseDatabaseUrl(target, environment),
    create: values.create ?? false,
    selection: { schemas: values.schema ?? [], tables: (values.table ?? []).map(parseTable), part },
    noOwner: values['no-owner'] ?? false,
    noPrivileges: values['no-privileges'] ?? false,
    noTablespaces: values['no-tablespaces'] ?? false,
    jobs: parseJobs(values.jobs),
    allowNonEmpty: values['allow-non-empty'] ?? false,
    allowUnproven: values['allow-unproven'] ?? false,
    dryRun: values['dry-run'] ?? false,
  };
}

function readOptions(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        'target-url': { type: 'string' },
        create: flag,
        bucket: { type: 'string' },
        database: { type: 'string' },
        backup: { type: 'string' },
        'allow-unproven': flag,
        schema: { type: 'string', multiple: true },
        table: { type: 'string', multiple: true },
        'schema-only': flag,
        'data-only': flag,
        'no-owner': flag,
        'no-privileges': flag,
        'no-tablespaces': flag,
        jobs: { type: 'string' },
        'allow-non-empty': flag,
        'dry-run': flag,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw refuse(reason, 'npm run restore -- --help lists the options');
  }
}

function parseBackupId(id: string | undefined, allowUnproven: boolean): string | undefined {
  if (id === undefined && allowUnproven)
    throw refuse('--allow-unproven is given without --backup', 'name the backup; npm run backups lists them');
  if (id === undefined || /^\d{8}T\d{6}Z(-[23])?$/.test(id)) return id;
  throw refuse(`--backup is "${id}"; it must be the id of a backup, as 20261122T020000Z`, 'npm run backups lists them');
}

/** `app.notes`; names that hold a dot are quoted as in SQL: `"my.schema"."Odd ""Name"""`. */
function parseTable(text: string): { schema: string; name: string } {
  const NAME = /^(?:"((?:[^"]|"")+)"|([^".]+))\.(?:"((?:[^"]|"")+)"|([^".]+))$/;
  const found = NAME.exec(text);
  if (found === null)
    throw refuse(
      `--table is "${text}"; it must be schema.name`,
      'put names that hold a dot or a quote into double quotes, as in SQL',
    );
  const [, quotedSchema, schema = '', quotedName, name = ''] = found;
  return {
    schema: quotedSchema?.replaceAll('""', '"') ?? schema,
    name: quotedName?.replaceAll('""', '"') ?? name,
  };
}

const MOST_JOBS = 32;

function parseJobs(text: string | undefined): number {
  if (text === undefined) return 4;
  const jobs = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw refuse(`--jobs is "${text}"; it must be a whole number from 1 to ${MOST_JOBS}`, 'leave it out for 4');
}

function refuse(problem: string, hint: string): LocalRunError {
  return new LocalRunError(`${problem}. Nothing was read or changed`, hint);
}
