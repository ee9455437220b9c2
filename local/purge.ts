// `npm run purge`: what is past retention, shown and carried out from a terminal, without Lambda and without its time limit.
// Exit codes: 0 ok, 1 failed, stopped, rows left without a reason, not valid or damaged, 2 wrong options or target, 130 Ctrl-C.
import { PURGE_SESSIONS } from '../functions/purge/environment.ts';
import { systemClock } from '../functions/shared/clock.ts';
import { limitsOf } from '../functions/shared/database.ts';
import { asJobFailure } from '../functions/shared/database-errors.ts';
import type { FailureCode } from '../functions/shared/job-failure.ts';
import { placeOfDatabase } from '../infra/config.ts';
import { configuredDatabase } from './configured-database.ts';
import { openLogin } from './login/open-login.ts';
import type { Login } from './login/parse-login.ts';
import { check, sign, verify } from './purge/check-files.ts';
import type { PurgeCommand } from './purge/command.ts';
import { HELP } from './purge/help.ts';
import { liftStops, list, listHolds, placeHold, placeStop, releaseHold } from './purge/holds-and-stops.ts';
import {
  type DatabaseAction,
  type FileAction,
  isFileAction,
  type PurgeArguments,
  parseArguments,
} from './purge/parse-arguments.ts';
import { runToEnd, showPlan } from './purge/run-passes.ts';
import { runSettings } from './purge/run-settings.ts';
import { createProgress } from './purge/show-progress.ts';
import { runCommand } from './run-command.ts';

/** What the person at the terminal has to mend before it can work. */
const BAD_INPUT: ReadonlySet<FailureCode> = new Set(['event.wrong', 'settings.wrong']);
/** What people say about purge is written by the owner of the tables: the role that deletes may not release a hold. */
const AS_OWNER: ReadonlySet<DatabaseAction['name']> = new Set(['hold', 'release', 'stop', 'go-on']);

const progress = createProgress(process.stderr, systemClock);
const print = (text: string) => console.log(text);

await runCommand(
  async (signal) => {
    const options = parseArguments(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    const { action } = options;
    try {
      return await (isFileAction(action) ? withFiles(options, action, signal) : withDatabase(options, action, signal));
    } catch (error) {
      throw asJobFailure(error, {
        during: action.name,
        safeState: 'What was committed is recorded, and the same command goes on behind it',
      });
    } finally {
      progress.clear();
    }
  },
  {
    stopped: 'what was committed is recorded, and the same command goes on behind it',
    exitCodeOf: ({ code }) => (BAD_INPUT.has(code) ? 2 : 1),
  },
);

async function withDatabase(options: PurgeArguments, action: DatabaseAction, signal: AbortSignal): Promise<number> {
  const { login, requestedBy } = options;
  if (login === undefined) throw new RangeError('an action of the database has no login');
  const isOwner = AS_OWNER.has(action.name);
  const opened = await openLogin(login, {
    job: 'purge',
    role: isOwner ? 'migrate' : 'purge',
    maxConnections: PURGE_SESSIONS,
    limitsOf: (config) => limitsOf(runSettings(config, systemClock.now())),
    clock: systemClock,
    // Ctrl-C ends a run between two batches; anything else may be cut off at once.
    signal: action.name === 'run' ? new AbortController().signal : signal,
  });
  const coloured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const command = { options, action, opened, clock: systemClock, progress, signal, coloured, print };
  try {
    progress.line(`${action.name} of ${opened.place}${action.name === 'run' ? `, asked for by ${requestedBy}` : ''}`);
    return await carryOut(command, action);
  } finally {
    progress.clear();
    await opened.database.close();
  }
}

async function carryOut(command: PurgeCommand, action: DatabaseAction): Promise<number> {
  switch (action.name) {
    case 'plan':
      return await showPlan(command, action);
    case 'run':
      return await runToEnd(command, action);
    case 'list':
      return await list(command);
    case 'holds':
      return await listHolds(command);
    case 'hold':
      return await placeHold(command, action);
    case 'release':
      return await releaseHold(command, action.holdId);
    case 'stop':
      return await placeStop(command, action.reason);
    default:
      return await liftStops(command);
  }
}

async function withFiles(options: PurgeArguments, action: FileAction, signal: AbortSignal): Promise<number> {
  const configured = await configuredKey(options.login);
  const command = {
    json: options.json,
    signingKeyArn: options.signingKeyArn ?? configured,
    clock: systemClock,
    progress,
    signal,
    print,
  };
  if (action.name === 'verify') return await verify(command, action);
  return await (action.name === 'sign' ? sign(command, action) : check(command, action));
}

/** The key of the config, where a database is named; also sets the region, in which key and bucket lie. */
async function configuredKey(login: Login | undefined): Promise<string | undefined> {
  if (login === undefined || 'url' in login) return undefined;
  const config = await configuredDatabase(login.config, login.name, {
    now: systemClock.now(),
    notDone: 'Nothing was read or changed',
  });
  process.env['AWS_REGION'] ??= placeOfDatabase(config).region;
  return config.purge.signingKeyArn;
}
