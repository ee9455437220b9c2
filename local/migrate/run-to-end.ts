// up and down from a terminal: there is no time limit, so they wait for what an earlier run has left at work, and go on behind it.
import type { DoneFile, MigrateResult, RunResult } from '../../functions/migrate/contract.ts';
import { readProgress } from '../../functions/migrate/engine/run-migrations.ts';
import { runMigrate } from '../../functions/migrate/run-migrate.ts';
import { describeError } from '../../functions/shared/job-failure.ts';
import { type Migration, readMigrations } from '../../functions/shared/migration-files.ts';
import { contextOf, type MigrateCommand, readReport } from './command.ts';
import { describeLongStep } from './describe-long-step.ts';
import { watchLongStep } from './show-progress.ts';

/** The result when nothing is left to do; throws the reason of the signal after Ctrl-C, having said what goes on. */
export async function runToEnd(command: MigrateCommand): Promise<RunResult> {
  const { signal, clock, progress } = command;
  const done: DoneFile[] = [];
  const files = await readMigrations(command.folder, true);
  try {
    for (;;) {
      await waitForEarlier(command, files);
      const watch = watchLongStep(async () => await readReport(command), progress, clock);
      let result: RunResult;
      try {
        result = requireRun(await runMigrate(contextOf(command)));
      } finally {
        await watch.stop();
      }
      signal.throwIfAborted();
      done.push(...result.done);
      if (result.status === 'done') return { ...result, done };
      await clock.sleep(progress.everyMs, signal);
    }
  } catch (error) {
    if (signal.aborted) await sayWhatGoesOn(command);
    throw error;
  }
}

/** Told by looking only: a run would end a session that has just finished its statement and is about to record it. */
async function waitForEarlier(command: MigrateCommand, files: readonly Migration[]): Promise<void> {
  const { opened, progress, clock, signal } = command;
  for (let looks = 0; ; looks += 1) {
    // With the state of the files: a database that is not set up, or has other ones, is said first.
    const { running: report } = await opened.database.withSession(
      async (session) => await readProgress(session, files),
    );
    if (report === null || report.state === 'stopped') {
      progress.clear();
      return;
    }
    if (looks === 0) progress.line('A statement of an earlier run is at work; this one waits for its end and goes on');
    progress.showLongStep(report);
    await clock.sleep(progress.everyMs, signal);
  }
}

async function sayWhatGoesOn(command: MigrateCommand): Promise<void> {
  const { progress, options } = command;
  progress.clear();
  const look = 'npm run migrate -- status tells how far it is';
  try {
    const report = await readReport(command);
    if (report === undefined) return;
    const isLeft = report.state !== 'stopped' && report.operation !== 'batches';
    progress.line(
      isLeft
        ? `${describeLongStep(report)}\nIt goes on in the server without this command: ${look}; ${options.action} records it and goes on`
        : describeLongStep({ ...report, state: 'stopped' }),
    );
  } catch (error) {
    progress.line(`Whether a statement goes on in the server is not known (${describeError(error)}): ${look}`);
  }
}

function requireRun(result: MigrateResult): RunResult {
  if ('done' in result) return result;
  throw new TypeError(`the result of ${result.action} is not that of a run`);
}
