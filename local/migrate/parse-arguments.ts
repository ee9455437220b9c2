// The options of `npm run migrate`. Anything that does not fit is refused before a database is asked (exit code 2).
import { parseArgs } from 'node:util';
import { migrateSettings } from '../../functions/migrate/environment.ts';
import type { Setting } from '../../functions/shared/read-environment.ts';
import { type Login, notBlank, parseLogin, refuse, userName } from '../login/parse-login.ts';
import { type LintFormat, lintFormats } from './lint-output.ts';

/** What each action takes besides the options that all of them take. */
const OWN_OPTIONS = {
  status: ['exit-code', 'drift'],
  plan: ['to', 'no-rehearse', 'bucket'],
  lint: ['format'],
  rehearse: ['to'],
  up: ['to', 'dry-run', 'plan'],
  down: ['to', 'dry-run', 'confirm-loss'],
  verify: ['from', 'to'],
  baseline: ['to', 'dry-run'],
  repair: ['dry-run'],
} as const satisfies Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>>;

export type ActionName = keyof typeof OWN_OPTIONS;

const flag = { type: 'boolean' } as const;
const OPTIONS = {
  database: { type: 'string' },
  config: { type: 'string' },
  'database-url': { type: 'string' },
  folder: { type: 'string' },
  to: { type: 'string' },
  'dry-run': flag,
  'confirm-loss': flag,
  'exit-code': flag,
  drift: flag,
  from: { type: 'string' },
  plan: { type: 'string' },
  'no-rehearse': flag,
  bucket: { type: 'string' },
  format: { type: 'string' },
  'requested-by': { type: 'string' },
  'lock-timeout': { type: 'string' },
  'lock-attempts': { type: 'string' },
  json: flag,
  help: { type: 'boolean', short: 'h' },
} as const;
const OF_ALL = ['database', 'config', 'database-url', 'folder', 'requested-by', 'lock-timeout', 'lock-attempts'];

export interface MigrateArguments {
  action: ActionName;
  /** Undefined for lint alone: it then looks at the files only. */
  login: Login | undefined;
  /** Undefined: sql/migrations of the product. */
  folder: string | undefined;
  to: number | undefined;
  from: number | undefined;
  /** The hash that a plan has answered. */
  plan: string | undefined;
  rehearse: boolean;
  drift: boolean;
  /** The bucket of the backups, for plan. */
  bucket: string | undefined;
  format: LintFormat;
  dryRun: boolean;
  confirmLoss: boolean;
  exitCode: boolean;
  json: boolean;
  requestedBy: string;
  /** Undefined: as configured, or the default of the function. */
  lockTimeoutMs: number | undefined;
  lockAttempts: number | undefined;
}

export const HELP = `npm run migrate -- ACTION [options]

  status              what is applied, pending, half done, and what runs now
  plan                whether up may run now: GO, WAIT or NEEDS APPROVAL, with reasons and a hash
  lint                what is dangerous in the pending files; without a database in all files, by their text alone
  rehearse            what pending files lock, rewrite and scan, on a copy of the schema
  up                  apply pending migrations, in order
  down                revert the newest one; first says what is lost
  verify              prove in a scratch database that files can be reverted; without a database on a throw-away PostgreSQL
  baseline            say that a database which was made otherwise has the first files already
  repair              clear what a broken long statement has left

  --database NAME     \`name\` in nightshift.config.ts (also: DATABASE_NAME): logs in as nightshift_migrate with the secret that the
                      function uses; credentials and region come from the standard AWS variables
  --config FILE       another config (also: NIGHTSHIFT_CONFIG)
  --database-url URL  a login of yours (also: DATABASE_URL), as postgres://nightshift_migrate@host:5432/dbname; PGPASSWORD,
                      PGSSLMODE and PGSSLROOTCERT are followed
  --folder DIR        migration files (default sql/migrations)

  --to N              up, down: the newest migration afterwards (down: 0 reverts all); baseline: the newest that is there
  --dry-run           print the exact SQL and nothing else on stdout; change nothing
  --plan HASH         up: refuse when files, history or schema have moved since that plan
  --no-rehearse       plan: leave the rehearsal out
  --bucket NAME       plan: where the backups are (also: BACKUP_BUCKET)
  --from N            verify: the first migration to prove
  --drift             status: compare the live catalog with what the migrations make
  --format FORMAT     lint: text, json, sarif or github
  --confirm-loss      down: what it says that is lost may be lost
  --exit-code         status: end with 1 when something is pending, half done, changed or drifted
  --requested-by WHO  kept in the record of each statement (default: the name of your user)
  --lock-timeout MS   how long a statement waits for a lock (default 5000)
  --lock-attempts N   how often a transaction is tried when a lock does not come (default 10)
  --json              the typed result instead of tables
  --help              this text

Progress goes to stderr. There is no time limit but the one in a file (-- nightshift: statement timeout 5 min). Ctrl-C rolls an
open transaction back, and leaves a statement that runs alone to the server: status tells how far it is, up goes on.

Exit codes: 0 ok, 1 failed or a finding, 2 wrong options, files or target, 130 Ctrl-C. docs/migrations.md has examples.`;

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export function parseArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): MigrateArguments | 'help' {
  const { values, positionals } = readOptions(args);
  if (values.help) return 'help';
  const action = parseAction(positionals);
  for (const name of Object.keys(values)) {
    const own: readonly string[] = OWN_OPTIONS[action];
    if (name !== 'json' && !OF_ALL.includes(name) && !own.includes(name))
      throw refuse(`--${name} is not an option of ${action}`, 'leave it out, or see --help');
  }
  const to = parseNumber('to', values.to);
  if (action === 'baseline' && (to ?? 0) === 0)
    throw refuse('baseline needs --to', 'give the number of the newest file whose objects the database has');
  return {
    action,
    login: parseLogin(values, environment, { isOptional: action === 'lint' || action === 'verify' }),
    folder: notBlank('folder', values.folder),
    to,
    from: parseNumber('from', values.from),
    plan: notBlank('plan', values.plan),
    rehearse: values['no-rehearse'] !== true,
    drift: values.drift ?? false,
    bucket: notBlank('bucket', values.bucket) ?? (environment['BACKUP_BUCKET']?.trim() || undefined),
    format: parseFormat(values.format),
    dryRun: values['dry-run'] ?? false,
    confirmLoss: values['confirm-loss'] ?? false,
    exitCode: values['exit-code'] ?? false,
    json: values.json ?? false,
    requestedBy: notBlank('requested-by', values['requested-by']) ?? userName(),
    lockTimeoutMs: parseSetting('lock-timeout', migrateSettings.LOCK_TIMEOUT_MS, values['lock-timeout']),
    lockAttempts: parseSetting('lock-attempts', migrateSettings.LOCK_ATTEMPTS, values['lock-attempts']),
  };
}

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw refuse(reason, 'npm run migrate -- --help lists the options');
  }
}

function parseAction(positionals: readonly string[]): ActionName {
  const names = Object.keys(OWN_OPTIONS);
  const [word, ...more] = positionals;
  const isAction = (name: string): name is ActionName => names.includes(name);
  if (word === undefined) throw refuse('no action is given', `say one of ${names.join(', ')}`);
  if (!isAction(word)) throw refuse(`"${word}" is no action`, `say one of ${names.join(', ')}`);
  if (more.length > 0) throw refuse(`"${more[0]}" is given after ${word}`, 'one action at a time; --to takes a number');
  return word;
}

function parseNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,4}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw refuse(
    `--${option} is "${text}"; it must be a whole number from 0 to 9999`,
    'npm run migrate -- status lists them',
  );
}

function parseFormat(text: string | undefined): LintFormat {
  const format = lintFormats.find((one) => one === (text ?? 'text'));
  if (format !== undefined) return format;
  throw refuse(`--format is "${text}"; it must be ${lintFormats.join(', ')}`, 'leave it out for text');
}

function parseSetting(option: string, setting: Setting<number>, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = setting.parse(text);
  if (value !== undefined) return value;
  throw refuse(`--${option} is "${text}"; it must be ${setting.allowed}`, 'leave it out for the default');
}
