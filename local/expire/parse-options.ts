// The options of `npm run expire`. Anything that does not fit is refused before S3 is asked (exit code 2).
import { parseArgs } from 'node:util';
import { LocalRunError } from '../local-run-error.ts';

/** Variables of the function, by the option that stands in for each. */
const replaced = {
  keep: 'KEEP_POLICY',
  'keep-at-least': 'KEEP_AT_LEAST',
  'keep-unverified-days': 'KEEP_UNVERIFIED_DAYS',
  'max-delete-percent': 'MAX_DELETE_PERCENT',
  'time-zone': 'TIME_ZONE',
} as const;

export interface ExpireOptions {
  bucket: string;
  database: string;
  /** Path of nightshift.config.ts or a JSON file. */
  config: string;
  json: boolean;
  /** Variables of the function that replace those of the config. */
  replaced: Readonly<Record<string, string>>;
}

export const HELP = `npm run expire -- --plan [options]

Prints what the deployed expire job would do now: every backup with its state, keep or delete, and the reasons. It deletes
nothing, and there is no option that does: to delete, start the function (docs/runbook.md#expire-failures).

  --plan                    show the plan; required
  --bucket NAME             the bucket of the backups (also: BACKUP_BUCKET); output BackupBucketName of the stack
  --database NAME           name of the database in the config (also: DATABASE_NAME)
  --config FILE             where the policy is read (default nightshift.config.ts; also: NIGHTSHIFT_CONFIG)
  --json                    the answer of the job instead of a table
  --help                    this text

What if the policy were another one? Each replaces one setting of the config:
  --keep RULES              as within=30d,monthly=12
  --keep-at-least N
  --keep-unverified-days N
  --max-delete-percent N
  --time-zone ZONE

Credentials, region and endpoint come from the standard AWS variables. It needs to read manifests, evidence, claims and the
records of expire, to list the bucket, and s3:GetObjectRetention.

Exit codes: 0 the plan may be carried out, 1 it is refused or S3 did not answer, 2 wrong options or settings.`;

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export function parseExpireOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ExpireOptions | 'help' {
  const values = readOptions(args);
  if (values.help) return 'help';
  if (!values.plan) {
    throw new LocalRunError(
      '--plan is missing; it is the only thing this command does. S3 was not asked',
      'npm run expire -- --plan; to delete, start the function: see docs/runbook.md#expire-failures',
    );
  }
  const text = (option: 'bucket' | 'database' | 'config', variable: string): string => {
    const given = values[option];
    if (given !== undefined && given.trim() === '')
      throw new LocalRunError(`--${option} is blank; it must be a name. S3 was not asked`, HINT);
    return (given ?? environment[variable])?.trim() ?? '';
  };
  const bucket = text('bucket', 'BACKUP_BUCKET');
  const database = text('database', 'DATABASE_NAME');
  const missing = [...(bucket === '' ? ['--bucket'] : []), ...(database === '' ? ['--database'] : [])];
  if (missing.length > 0)
    throw new LocalRunError(
      `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing. S3 was not asked`,
      HINT,
    );
  const given = Object.entries(replaced).flatMap(([option, variable]) => {
    const value = values[option as keyof typeof replaced];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return {
    bucket,
    database,
    config: text('config', 'NIGHTSHIFT_CONFIG') || 'nightshift.config.ts',
    json: values.json ?? false,
    replaced: Object.fromEntries(given),
  };
}

const HINT = 'npm run expire -- --help lists the options';

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        plan: { type: 'boolean' },
        bucket: { type: 'string' },
        database: { type: 'string' },
        config: { type: 'string' },
        keep: { type: 'string' },
        'keep-at-least': { type: 'string' },
        'keep-unverified-days': { type: 'string' },
        'max-delete-percent': { type: 'string' },
        'time-zone': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw new LocalRunError(`${reason}. S3 was not asked`, HINT);
  }
}
