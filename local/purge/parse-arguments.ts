// The options of `npm run purge`. Anything that does not fit is refused before a database is asked (exit code 2).
import { parseArgs } from 'node:util';
import { type PurgeSubject, subjectSchema } from '../../functions/purge/contract.ts';
import { type Login, notBlank, parseLogin, refuse, userName } from '../login/parse-login.ts';
import { parseRowName, type RowName } from './row-name.ts';

const flag = { type: 'boolean' } as const;
const text = { type: 'string' } as const;
const OPTIONS = {
  plan: flag,
  run: flag,
  list: flag,
  holds: flag,
  hold: text,
  release: text,
  stop: flag,
  'go-on': flag,
  verify: text,
  sign: text,
  'check-archive': text,
  policy: text,
  subject: text,
  reference: text,
  'plan-hash': text,
  'of-person': flag,
  reason: text,
  until: text,
  'public-key': text,
  'signing-key': text,
  bucket: text,
  database: text,
  config: text,
  'database-url': text,
  'requested-by': text,
  json: flag,
  help: { type: 'boolean', short: 'h' },
} as const;

/** What each action takes besides --json, and the options that name a database. */
const OWN_OPTIONS = {
  plan: ['policy', 'subject', 'reference'],
  run: ['policy', 'subject', 'reference', 'plan-hash', 'requested-by', 'bucket', 'signing-key'],
  list: [],
  holds: [],
  hold: ['of-person', 'reason', 'until', 'requested-by'],
  release: ['requested-by'],
  stop: ['reason', 'requested-by'],
  'go-on': ['requested-by'],
  verify: ['bucket', 'public-key', 'signing-key'],
  sign: ['bucket', 'signing-key'],
  'check-archive': ['bucket'],
} as const satisfies Readonly<Record<string, readonly (keyof typeof OPTIONS)[]>>;

type ActionName = keyof typeof OWN_OPTIONS;
const OF_DATABASE = ['database', 'config', 'database-url'];
const actionNames = Object.keys(OWN_OPTIONS) as ActionName[];

export type PurgeAction =
  | { name: 'plan'; policy: string | undefined; subject: PurgeSubject | undefined }
  | {
      name: 'run';
      policy: string | undefined;
      subject: PurgeSubject | undefined;
      planHash: string | undefined;
      bucket: string;
    }
  | { name: 'list' | 'holds' | 'go-on' }
  | { name: 'hold'; row: RowName; ofPerson: boolean; reason: string; until: string | undefined }
  | { name: 'release'; holdId: string }
  | { name: 'stop'; reason: string }
  | { name: 'verify'; certificate: string; publicKey: string | undefined; bucket: string | undefined }
  | { name: 'sign' | 'check-archive'; key: string; bucket: string };

/** Those that need no database: they look at files, at the bucket and at the key. */
export type FileAction = Extract<PurgeAction, { name: 'verify' | 'sign' | 'check-archive' }>;
export type DatabaseAction = Exclude<PurgeAction, FileAction>;

export interface PurgeArguments {
  action: PurgeAction;
  /** Undefined only for a FileAction. */
  login: Login | undefined;
  requestedBy: string;
  /** Goes before that of the config. */
  signingKeyArn: string | undefined;
  json: boolean;
}

export function isFileAction(action: PurgeAction): action is FileAction {
  return action.name === 'verify' || action.name === 'sign' || action.name === 'check-archive';
}

/** The options, or `help`; throws LocalRunError naming what is wrong and what is allowed. */
export function parseArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PurgeArguments | 'help' {
  const values = readOptions(args);
  if (values.help) return 'help';
  const name = chooseAction(values);
  for (const option of Object.keys(values)) {
    const own: readonly string[] = [name, 'json', ...OWN_OPTIONS[name], ...OF_DATABASE];
    if (!own.includes(option)) throw refuse(`--${option} is not an option of --${name}`, 'leave it out, or see --help');
  }
  const action = parseAction(name, values, environment);
  return {
    action,
    login: parseLogin(values, environment, { isOptional: isFileAction(action) }),
    requestedBy: notBlank('requested-by', values['requested-by']) ?? userName(),
    signingKeyArn: notBlank('signing-key', values['signing-key']),
    json: values.json ?? false,
  };
}

type Values = ReturnType<typeof readOptions>;

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error);
    throw refuse(reason, 'npm run purge -- --help lists the options');
  }
}

/** Without one it is a plan: nothing that deletes is a default. */
function chooseAction(values: Values): ActionName {
  const [first = 'plan', second] = actionNames.filter((name) => values[name] !== undefined);
  if (second === undefined) return first;
  throw refuse(`--${first} and --${second} are both given`, 'one at a time');
}

function parseAction(
  name: ActionName,
  values: Values,
  environment: Readonly<Record<string, string | undefined>>,
): PurgeAction {
  const bucket = notBlank('bucket', values.bucket) ?? (environment['BACKUP_BUCKET']?.trim() || undefined);
  const needed = (
    option: 'hold' | 'release' | 'reason' | 'verify' | 'sign' | 'check-archive',
    hint: string,
  ): string => {
    const value = notBlank(option, values[option]);
    if (value === undefined) throw refuse(`--${name} needs --${option}`, hint);
    return value;
  };
  const neededBucket = () => {
    if (bucket === undefined)
      throw refuse(`--${name} needs --bucket`, 'name the bucket of the stack, or set BACKUP_BUCKET');
    return bucket;
  };
  switch (name) {
    case 'plan':
      return { name, ...scopeOf(values) };
    case 'run':
      return {
        name,
        ...scopeOf(values),
        planHash: parsePlanHash(notBlank('plan-hash', values['plan-hash'])),
        bucket: neededBucket(),
      };
    case 'hold':
      return {
        name,
        row: parseRowName('hold', needed('hold', 'say which table, or which row as orders:42')),
        ofPerson: values['of-person'] ?? false,
        reason: needed('reason', 'say why, as the number of the case'),
        until: parseUntil(notBlank('until', values.until)),
      };
    case 'release':
      return { name, holdId: parseHoldId(needed('release', 'npm run purge -- --holds lists them')) };
    case 'stop':
      return { name, reason: needed('reason', 'say why; whoever finds purge standing still reads it') };
    case 'verify':
      return {
        name,
        certificate: needed('verify', 'name the file, or with --bucket the key'),
        publicKey: notBlank('public-key', values['public-key']),
        bucket: notBlank('bucket', values.bucket),
      };
    case 'sign':
      return { name, key: needed('sign', 'name the key of a certificate.json'), bucket: neededBucket() };
    case 'check-archive':
      return { name, key: needed('check-archive', 'name the key of an archive.json'), bucket: neededBucket() };
    default:
      return { name };
  }
}

function scopeOf(values: Values): { policy: string | undefined; subject: PurgeSubject | undefined } {
  const policy = notBlank('policy', values.policy);
  const subject = notBlank('subject', values.subject);
  const reference = notBlank('reference', values.reference);
  if (policy !== undefined && subject !== undefined)
    throw refuse('--policy and --subject are both given', 'a run is either of a policy or of a person');
  if (subject === undefined) {
    if (reference !== undefined) throw refuse('--reference is given without --subject', 'leave it out');
    return { policy, subject: undefined };
  }
  const { schema, table, key } = parseRowName('subject', subject);
  if (key === undefined)
    throw refuse('--subject names a table and no key', 'say which row stands for the person, as users:42');
  if (reference === undefined)
    throw refuse('--subject needs --reference', 'say what the request is filed under, as DSR-2026-17');
  const parsed = subjectSchema.safeParse({ ...(schema === undefined ? {} : { schema }), table, key, reference });
  if (parsed.success) return { policy: undefined, subject: parsed.data };
  throw refuse(`--reference ${parsed.error.issues[0]?.message}`, 'say what the request is filed under, as DSR-2026-17');
}

function parsePlanHash(hash: string | undefined): string | undefined {
  if (hash === undefined || /^[0-9a-f]{32}$/.test(hash)) return hash;
  throw refuse(`--plan-hash is "${hash}"; it must be 32 hex digits`, 'npm run purge -- --plan prints it');
}

function parseHoldId(id: string): string {
  if (/^\d{1,18}$/.test(id)) return id;
  throw refuse(`--release is "${id}"; it must be the number of a hold`, 'npm run purge -- --holds lists them');
}

/** A day is its beginning in UTC. */
function parseUntil(until: string | undefined): string | undefined {
  if (until === undefined) return undefined;
  const isInstant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(until);
  const instant = new Date(until);
  if (!isInstant || Number.isNaN(instant.getTime()))
    throw refuse(`--until is "${until}"; it must be a day or an instant in UTC`, 'as 2027-06-30 or 2027-06-30T12:00Z');
  return instant.toISOString();
}
