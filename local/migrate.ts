// `npm run migrate -- <action>`: the actions of migrate from a terminal, without Lambda and without its time limit.
// Exit codes: 0 ok, 1 failed or a finding, 2 wrong options, files or target, 130 Ctrl-C.
import { randomUUID } from 'node:crypto';
import { systemClock } from '../functions/shared/clock.ts';
import { asJobFailure } from '../functions/shared/database-errors.ts';
import type { FailureCode } from '../functions/shared/job-failure.ts';
import type { Login } from './login/parse-login.ts';
import { actions, lintFiles } from './migrate/actions.ts';
import type { MigrateCommand } from './migrate/command.ts';
import { migrationFolder } from './migrate/migration-folder.ts';
import { openDatabase } from './migrate/open-database.ts';
import { HELP, type MigrateArguments, parseArguments } from './migrate/parse-arguments.ts';
import { createProgress } from './migrate/show-progress.ts';
import { runCommand } from './run-command.ts';

/** What the person at the terminal has to mend before it can work. */
const BAD_INPUT: ReadonlySet<FailureCode> = new Set([
  'event.wrong',
  'settings.wrong',
  'migrate.files_wrong',
  'migrate.changed',
]);

await runCommand(
  async (signal) => {
    const options = parseArguments(process.argv.slice(2), process.env);
    if (options === 'help') {
      console.log(HELP);
      return 0;
    }
    try {
      return await migrate(options, signal);
    } catch (error) {
      throw asJobFailure(error, {
        during: options.action,
        safeState: 'What was committed is recorded, and the same command goes on behind it',
      });
    }
  },
  {
    stopped: 'an open transaction was rolled back, and what was committed is recorded',
    exitCodeOf: ({ code }) => (BAD_INPUT.has(code) ? 2 : 1),
  },
);

async function migrate(options: MigrateArguments, signal: AbortSignal): Promise<number> {
  const folder = migrationFolder(options.folder);
  const progress = createProgress(process.stderr);
  const command = {
    options,
    folder,
    runId: randomUUID(),
    clock: systemClock,
    progress,
    signal,
    coloured: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
    print: (text: string) => console.log(text),
  };
  if (options.login === undefined) {
    if (options.action === 'lint') return await lintFiles(command);
    // Imported on demand: its certificates take a tenth of a second to load, which every other run would pay.
    const { openThrowawayDatabase } = await import('./migrate/throwaway-database.ts');
    const own = await openThrowawayDatabase(signal);
    try {
      return await migrateAt({ url: own.url }, command);
    } finally {
      await own.close();
    }
  }
  return await migrateAt(options.login, command);
}

async function migrateAt(login: Login, command: Omit<MigrateCommand, 'opened'>): Promise<number> {
  const { options, progress, signal } = command;
  const opened = await openDatabase(login, options, { clock: systemClock, signal });
  try {
    progress.line(`${options.action} of ${opened.place}, asked for by ${options.requestedBy}`);
    return await actions[options.action]({ ...command, opened });
  } finally {
    progress.clear();
    await opened.database.close();
  }
}
